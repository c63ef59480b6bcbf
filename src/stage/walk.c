/*
 * The walk: depth first with a stack of its own, names kept for one read at a time. A thread with
 * nothing left to do takes a folder from near the bottom of another one's stack; a folder is left
 * only when all that was taken from it is done. Removes nothing itself: the caller's functions do.
 */
#include "stage/walk.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "stage/crew.h"
#include "stage/stack.h"

enum {
    NAMES_LEAST = 4096, /* A read with less room might not hold one entry. */
    WORK_ENOUGH = 192,  /* Below that a thread costs more than it gives: */
    WORK_OF_FILE = 4,   /* one that took more than a look at its name, */
    WORK_OF_FOLDER = 1, /* and any folder. */
    PASSES_MAX = 3      /* Some file systems skip names while others are removed. */
};

/* Goes into the folder `name` of `from`, whose path is in place for `frame`; false: it can't. */
static bool enter(struct walker *me, struct walk_dir *from, struct frame *frame)
{
    struct crew *crew = me->crew;
    const char *name = frame->name;
    struct tree_entry entry = { .name = name, .length = strlen(name), .type = DT_DIR };
    bool is_stolen = frame->is_stolen;
    int fd = -1;

    if (!crew->calls->enter(crew->context, from, &entry, &frame->dir.place)) {
        crew_count(crew, frame->parent, false, is_stolen);
        return false;
    }
    if (me->depth == FRAMES_MAX)
        errno = ENAMETOOLONG;
    else
        fd = tree_open(from->fd, name);
    if (fd < 0) {
        crew->calls->failed(crew->context, from, name);
        crew_count(crew, frame->parent, false, is_stolen);
        return false;
    }
    frame->dir.fd = fd;
    frame->dir.root_length = from->root_length;
    frame->dir.is_cut =
        from->is_cut || !stack_append(me, frame->path_start, &frame->path_length, name);
    stack_push(me, frame);
    me->work += WORK_OF_FOLDER;
    if (!is_stolen)
        stack_close_below(me, frame->parent);
    return true;
}

static bool descend(struct walker *me, struct frame *top)
{
    struct crew *crew = me->crew;

    crew_lock(crew);
    const char *name = crew->is_stopped || top->is_lost ? NULL : crew_claim(me, top);
    crew_unlock(crew);
    if (!name)
        return false;
    struct frame below = {
        .parent = top, .name = name, .path_start = top->path_start, .path_length = top->path_length
    };
    enter(me, &top->dir, &below);
    if (&me->frames[me->depth - 1] == top)
        me->path[top->path_start + top->path_length] = '\0';
    return true;
}

/* The folder that another thread has open, for this one. */
static int open_again(const struct crew *crew, const struct walk_dir *dir)
{
    const char *path = dir->path + dir->root_length;

    path += strspn(path, "/");
    return *path == '\0' ? crew->root : tree_open(crew->root, path);
}

/* Takes `name` out of `victim`, whose path is in place. */
static void take(struct walker *me, struct frame *victim, struct walk_dir *from,
                 struct frame *stolen)
{
    struct crew *crew = me->crew;

    from->fd = stolen->above = open_again(crew, from);
    /* Asked now: once the folder is counted, the walk may go on to another root. */
    bool is_own = from->fd != crew->root;
    if (from->fd < 0) {
        crew->calls->failed(crew->context, from, NULL);
        crew_count(crew, victim, false, true);
    } else if (!enter(me, from, stolen) && is_own) {
        tree_close(stolen->above);
    }
}

/* Called and left with the lock held, which is given up for the work. */
static bool steal(struct walker *me)
{
    struct crew *crew = me->crew;
    size_t start = stack_end(me);
    const char *name;

    if (crew->is_stopped || me->depth == FRAMES_MAX || start >= PATH_SIZE / 2)
        return false;
    struct frame *victim = crew_find(me, &name);
    if (!victim)
        return false;
    victim->outstanding++;
    struct walk_dir from = victim->dir;
    struct frame stolen = { .parent = victim,
                            .name = name,
                            .path_start = start,
                            .path_length = victim->path_length,
                            .is_stolen = true };
    memcpy(me->path + start, victim->dir.path, stolen.path_length);
    me->path[start + stolen.path_length] = '\0';
    crew_unlock(crew);
    from.path = me->path + start;
    from.crew = me->number;
    take(me, victim, &from, &stolen);
    crew_lock(crew);
    return true;
}

/* One read's worth of entries: files are dealt with, folders are kept by name. */
static void digest(struct walker *me, struct frame *top, struct tree_cursor cursor)
{
    struct crew *crew = me->crew;
    struct tree_entry entry;
    struct tree_stat st;
    size_t end = top->end;
    uint64_t kept = 0;
    uint64_t removed = 0;

    while (tree_next(&cursor, &entry)) {
        top->position = entry.next;
        if (entry.type == DT_UNKNOWN && tree_stat(top->dir.fd, entry.name, false, &st) == 0)
            entry.type = (unsigned char)IFTODT(st.mode);
        if (entry.type == DT_DIR) {
            memcpy(me->names + end, entry.name, entry.length + 1);
            end += entry.length + 1;
            continue;
        }
        unsigned done = crew->calls->file(crew->context, &top->dir, &entry);
        me->work += done & WALK_COSTLY ? WORK_OF_FILE : 0;
        if (done & WALK_GONE)
            removed++;
        else
            kept++;
    }
    crew_lock(crew);
    top->dir.kept += kept;
    top->dir.files_removed += removed;
    top->end = end;
    if (top->next < end)
        crew_tell(crew);
    crew_unlock(crew);
}

static void *help(void *argument);

/* False when the names of earlier reads are still in use by others. */
static bool read_more(struct walker *me, struct frame *top)
{
    struct crew *crew = me->crew;
    ssize_t got = 0;

    crew_lock(crew);
    if (me->number == 0 && !crew->is_stopped)
        crew->is_stopped = !crew->calls->tick(crew->context);
    if (top->outstanding == 0)
        top->next = top->end = top->base;
    bool is_stopped = crew->is_stopped;
    bool is_shared = top->outstanding > 0;
    crew_unlock(crew);
    size_t left = sizeof me->names - top->end;
    if (left < TREE_ROOM && is_shared)
        return false;
    if (me->number == 0 && me->work >= WORK_ENOUGH && crew->wanted > 1)
        crew_start(crew, help);
    if (!is_stopped && !top->is_lost) {
        errno = ENAMETOOLONG;
        got = left < NAMES_LEAST
                  ? -1
                  : tree_read(top->dir.fd, me->room, left < TREE_ROOM ? left : TREE_ROOM);
        if (got < 0)
            crew->calls->failed(crew->context, &top->dir, NULL);
    }
    if (got <= 0)
        top->has_ended = true;
    else
        digest(me, top, (struct tree_cursor){ me->room, me->room + got });
    return true;
}

/* Waits for those who took folders of `top`, or helps them meanwhile. */
static bool wait_for_others(struct walker *me, struct frame *top)
{
    struct crew *crew = me->crew;

    crew_lock(crew);
    bool is_waiting = top->outstanding > 0;
    if (is_waiting && !steal(me) && top->outstanding > 0)
        crew_wait(crew);
    crew_unlock(crew);
    return is_waiting;
}

/* All of it was seen, by whomever. */
static void finish(struct walker *me, struct frame *top)
{
    struct crew *crew = me->crew;
    struct frame *parent = top->parent;
    bool is_gone = false;

    if (!parent) {
        crew->calls->leave(crew->context, &top->dir);
        stack_pop(me, false);
        return;
    }
    if (!top->is_stolen)
        stack_open_below(me, top, parent);
    bool is_wanted =
        !top->is_lost && !crew->is_stopped && crew->calls->leave(crew->context, &top->dir);
    int above = top->is_stolen ? top->above : parent->dir.fd;
    if (is_wanted && above >= 0) {
        is_gone = crew->calls->remove(crew->context, above, top->name, &top->dir) & WALK_GONE;
        bool has_more = !is_gone && (errno == ENOTEMPTY || errno == EEXIST);
        if (has_more && top->passes++ < PASSES_MAX && tree_seek(top->dir.fd, 0) == 0) {
            top->dir.kept = 0;
            top->has_ended = false;
            return;
        }
    }
    stack_pop(me, is_gone);
}

/* Until the stack is empty. */
static void work(struct walker *me)
{
    while (me->depth > 0) {
        struct frame *top = &me->frames[me->depth - 1];
        if (descend(me, top))
            continue;
        if (!top->has_ended && read_more(me, top))
            continue;
        if (wait_for_others(me, top) || !top->has_ended)
            continue;
        finish(me, top);
    }
}

static void *help(void *argument)
{
    struct crew *crew = argument;
    struct walker me;

    fdio_part_from(crew->roots_end);
    crew_join(crew, &me);
    crew_lock(crew);
    while (!crew->is_over) {
        if (!steal(&me)) {
            crew_wait(crew);
            continue;
        }
        crew_unlock(crew);
        work(&me);
        crew_lock(crew);
    }
    crew_unlock(crew);
    return NULL;
}

bool walk_run(const struct walk_root *roots, size_t count, unsigned wanted,
              const struct walk_calls *calls, void *context)
{
    struct walker me;
    struct crew crew = {
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .news = PTHREAD_COND_INITIALIZER,
        .wanted = wanted < WALK_CREW_MAX ? wanted : WALK_CREW_MAX,
        .open_max = crew_files(),
        .calls = calls,
        .context = context,
    };

    crew_join(&crew, &me);
    for (size_t i = 0; i < count; i++)
        crew.roots_end = roots[i].fd < crew.roots_end ? crew.roots_end : roots[i].fd + 1;
    for (size_t i = 0; i < count && !crew.is_stopped; i++) {
        struct frame root = {
            .dir = { .fd = roots[i].fd, .place = roots[i].place, .is_root = true },
            .path_length = strlen(roots[i].path),
        };
        if (root.path_length >= sizeof me.path)
            continue;
        memcpy(me.path, roots[i].path, root.path_length);
        root.dir.root_length = root.path_length;
        crew.root = roots[i].fd;
        stack_push(&me, &root);
        work(&me);
    }
    crew_end(&crew);
    return !crew.is_stopped;
}
