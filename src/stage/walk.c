/*
 * The walk: depth first with a stack of its own, names kept for one read at a time. A thread with
 * nothing left to do takes a folder from near the bottom of another one's stack; a folder is left
 * only when all that was taken from it is done. Removes nothing itself: the caller's functions do.
 */
#include "stage/walk.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum {
    FRAMES_MAX = 4096, /* Deeper than any path that could be opened by name. */
    NAMES_SIZE = 1 << 20,
    NAMES_LEAST = 4096, /* A read with less room might not hold one entry. */
    PATH_SIZE = 32 * 1024,
    COSTLY_ENOUGH = 48, /* Files; below that a thread costs more than it gives. */
    PASSES_MAX = 3,     /* Some file systems skip names while others are removed. */
    FILES_SPARE = 64
};

struct frame {
    struct walk_dir dir;
    struct frame *parent; /* what it was found in, maybe another thread's; NULL for a root */
    const char *name;     /* in the names of the parent's thread */
    size_t path_start;
    size_t path_length;
    size_t base; /* its part of the names: [base, next) taken, [next, end) waiting */
    size_t next;
    size_t end;
    unsigned outstanding; /* folders that other threads took and have not finished */
    int64_t position;
    uint64_t device; /* who it is, for finding it again when it had to be closed */
    uint64_t inode;
    int passes;
    bool is_stolen;
    bool has_ended;
    bool is_lost; /* it was moved away while it was closed */
};

struct walker {
    struct crew *crew;
    int number;
    size_t depth; /* of frames */
    size_t open;  /* descriptors in frames */
    uint64_t costly;
    struct frame frames[FRAMES_MAX];
    char names[NAMES_SIZE];
    char path[PATH_SIZE];
    _Alignas(8) char room[TREE_ROOM];
};

struct crew {
    pthread_mutex_t lock; /* of everything here, and of what frames share */
    pthread_cond_t news;
    struct walker *walkers[WALK_CREW_MAX];
    pthread_t threads[WALK_CREW_MAX];
    unsigned wanted;
    unsigned count;   /* walkers at work */
    unsigned started; /* threads */
    unsigned waiting;
    bool is_over;
    _Atomic bool is_stopped;
    size_t open_max; /* descriptors for each walker */
    const struct walk_calls *calls;
    void *context;
};

static void lock(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
}

static void unlock(struct crew *crew)
{
    pthread_mutex_unlock(&crew->lock);
}

static void tell(struct crew *crew)
{
    if (crew->waiting > 0)
        pthread_cond_broadcast(&crew->news);
}

static void wait_for_news(struct crew *crew)
{
    crew->waiting++;
    pthread_cond_wait(&crew->news, &crew->lock);
    crew->waiting--;
}

/* Where the path of the frame above `top` begins. */
static size_t path_end(const struct walker *me)
{
    if (me->depth == 0)
        return 0;
    const struct frame *top = &me->frames[me->depth - 1];
    return top->path_start + top->path_length + 1;
}

/* The path `start` to `start + length`, longer by a slash and `name`. What does not fit is left out. */
static bool path_append(struct walker *me, size_t start, size_t *length, const char *name)
{
    size_t name_length = strlen(name);
    bool has_slash = *length > 0 && me->path[start + *length - 1] == '/';

    if (start + *length + name_length + 2 > sizeof me->path)
        return false;
    if (!has_slash)
        me->path[start + (*length)++] = '/';
    memcpy(me->path + start + *length, name, name_length);
    *length += name_length;
    return true;
}

/* A new top. The caller has put its path in place and holds no lock. */
static struct frame *push(struct walker *me, const struct frame *made)
{
    struct frame *top = &me->frames[me->depth];
    size_t base = me->depth > 0 ? me->frames[me->depth - 1].end : 0;

    *top = *made;
    top->base = top->next = top->end = base;
    top->dir.path = me->path + top->path_start;
    top->dir.crew = me->number;
    me->path[top->path_start + top->path_length] = '\0';
    if (top->parent)
        me->open++;
    lock(me->crew);
    me->depth++;
    unlock(me->crew);
    return top;
}

/* With the stack deep, the folder below the top is closed; the way back is "..". */
static void close_below(struct walker *me, struct frame *below)
{
    struct tree_stat st;
    struct crew *crew = me->crew;

    if (me->open <= crew->open_max || !below->parent ||
        tree_stat(below->dir.fd, "", false, &st) < 0)
        return;
    lock(crew);
    int fd = below->outstanding == 0 ? below->dir.fd : -1;
    if (fd >= 0) {
        below->dir.fd = -1;
        below->device = st.device;
        below->inode = st.inode;
    }
    unlock(crew);
    if (fd < 0)
        return;
    tree_close(fd);
    me->open--;
}

static void open_below(struct walker *me, const struct frame *top, struct frame *below)
{
    if (below->dir.fd >= 0 || below->is_lost)
        return;
    int fd = top->dir.fd < 0 ? -1 : tree_parent(top->dir.fd, below->device, below->inode);
    if (fd < 0 || tree_seek(fd, below->position) < 0) {
        tree_close(fd);
        below->is_lost = true;
        me->crew->calls->failed(me->crew->context, &below->dir, NULL);
        return;
    }
    lock(me->crew);
    below->dir.fd = fd;
    unlock(me->crew);
    me->open++;
}

static void count_in(struct crew *crew, struct frame *parent, bool is_gone, bool was_stolen)
{
    lock(crew);
    if (is_gone)
        parent->dir.folders_removed++;
    else
        parent->dir.kept++;
    if (was_stolen) {
        parent->outstanding--;
        tell(crew);
    }
    unlock(crew);
}

/* Goes into the folder `name` of `parent`, whose path is in place for `frame`. */
static void enter(struct walker *me, struct walk_dir *from, struct frame *frame)
{
    struct crew *crew = me->crew;
    const char *name = frame->name;
    struct tree_entry entry = { .name = name, .length = strlen(name), .type = DT_DIR };
    bool is_stolen = frame->is_stolen;
    int fd = -1;

    if (!crew->calls->enter(crew->context, from, &entry, &frame->dir.place)) {
        count_in(crew, frame->parent, false, is_stolen);
        return;
    }
    if (me->depth == FRAMES_MAX)
        errno = ENAMETOOLONG;
    else
        fd = tree_open(from->fd, name);
    if (fd < 0) {
        crew->calls->failed(crew->context, from, name);
        count_in(crew, frame->parent, false, is_stolen);
        return;
    }
    frame->dir.fd = fd;
    frame->dir.root_length = from->root_length;
    frame->dir.is_cut =
        from->is_cut || !path_append(me, frame->path_start, &frame->path_length, name);
    push(me, frame);
    if (!is_stolen)
        close_below(me, frame->parent);
}

/* The next waiting folder of `frame`, or NULL. The lock is held. */
static const char *claim(const struct walker *owner, struct frame *frame)
{
    if (frame->next == frame->end)
        return NULL;
    const char *name = owner->names + frame->next;
    frame->next += strlen(name) + 1;
    return name;
}

static bool descend(struct walker *me, struct frame *top)
{
    struct crew *crew = me->crew;

    lock(crew);
    const char *name = crew->is_stopped || top->is_lost ? NULL : claim(me, top);
    unlock(crew);
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

/* The outermost waiting folder of anyone else: the largest piece. The lock is held. */
static struct frame *find_victim(const struct walker *me, const char **name)
{
    struct crew *crew = me->crew;

    for (unsigned i = 0; i < crew->count; i++) {
        struct walker *other = crew->walkers[i];
        if (other == me)
            continue;
        for (size_t at = 0; at < other->depth; at++) {
            struct frame *frame = &other->frames[at];
            if (frame->dir.fd < 0 || frame->is_lost)
                continue;
            *name = claim(other, frame);
            if (*name)
                return frame;
        }
    }
    return NULL;
}

/* Called and left with the lock held, which is given up for the work. */
static bool steal(struct walker *me)
{
    struct crew *crew = me->crew;
    size_t start = path_end(me);
    const char *name;

    if (crew->is_stopped || me->depth == FRAMES_MAX || start >= PATH_SIZE / 2)
        return false;
    struct frame *victim = find_victim(me, &name);
    if (!victim)
        return false;
    victim->outstanding++;
    struct walk_dir from = victim->dir;
    size_t length = victim->path_length;
    if (start + length >= sizeof me->path) {
        length = sizeof me->path - start - 1;
        from.is_cut = true;
    }
    memcpy(me->path + start, victim->dir.path, length);
    me->path[start + length] = '\0';
    unlock(crew);
    from.path = me->path + start;
    from.crew = me->number;
    struct frame stolen = { .parent = victim,
                            .name = name,
                            .path_start = start,
                            .path_length = length,
                            .is_stolen = true };
    enter(me, &from, &stolen);
    lock(crew);
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
        me->costly += (done & WALK_COSTLY) != 0;
        if (done & WALK_GONE)
            removed++;
        else
            kept++;
    }
    lock(crew);
    top->dir.kept += kept;
    top->dir.files_removed += removed;
    top->end = end;
    if (top->next < end)
        tell(crew);
    unlock(crew);
}

static void *help(void *argument);

static void start_threads(struct crew *crew)
{
    pthread_attr_t attributes;

    if (pthread_attr_init(&attributes) != 0)
        return;
    if (pthread_attr_setstacksize(&attributes, sizeof(struct walker) + 512 * 1024) == 0) {
        while (crew->started + 1 < crew->wanted &&
               pthread_create(&crew->threads[crew->started], &attributes, help, crew) == 0)
            crew->started++;
    }
    pthread_attr_destroy(&attributes);
    /* Where none can be had, one walker does it all, and does not ask again. */
    crew->wanted = 0;
}

/* False when the names of earlier reads are still in use by others. */
static bool read_more(struct walker *me, struct frame *top)
{
    struct crew *crew = me->crew;
    ssize_t got = 0;

    lock(crew);
    if (me->number == 0 && !crew->is_stopped)
        crew->is_stopped = !crew->calls->tick(crew->context);
    if (top->outstanding == 0)
        top->next = top->end = top->base;
    bool is_stopped = crew->is_stopped;
    bool is_shared = top->outstanding > 0;
    unlock(crew);
    size_t left = sizeof me->names - top->end;
    if (left < TREE_ROOM && is_shared)
        return false;
    if (me->number == 0 && me->costly >= COSTLY_ENOUGH && crew->wanted > 1)
        start_threads(crew);
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

    lock(crew);
    bool is_waiting = top->outstanding > 0;
    if (is_waiting && !steal(me) && top->outstanding > 0)
        wait_for_news(crew);
    unlock(crew);
    return is_waiting;
}

static void pop(struct walker *me, bool is_gone)
{
    struct crew *crew = me->crew;
    struct frame *top = &me->frames[me->depth - 1];
    struct frame *parent = top->parent;

    if (parent) {
        if (top->dir.fd >= 0)
            me->open--;
        tree_close(top->dir.fd);
    }
    lock(crew);
    me->depth--;
    unlock(crew);
    if (parent)
        count_in(crew, parent, is_gone, top->is_stolen);
    if (me->depth > 0) {
        const struct frame *below = &me->frames[me->depth - 1];
        me->path[below->path_start + below->path_length] = '\0';
    }
}

/* All of it was seen, by whomever. */
static void finish(struct walker *me, struct frame *top)
{
    struct crew *crew = me->crew;
    struct frame *parent = top->parent;
    bool is_gone = false;

    if (!parent) {
        crew->calls->leave(crew->context, &top->dir);
        pop(me, false);
        return;
    }
    if (!top->is_stolen)
        open_below(me, top, parent);
    bool is_wanted =
        !top->is_lost && !crew->is_stopped && crew->calls->leave(crew->context, &top->dir);
    if (is_wanted && parent->dir.fd >= 0) {
        is_gone =
            crew->calls->remove(crew->context, parent->dir.fd, top->name, &top->dir) & WALK_GONE;
        bool has_more = !is_gone && (errno == ENOTEMPTY || errno == EEXIST);
        if (has_more && top->passes++ < PASSES_MAX && tree_seek(top->dir.fd, 0) == 0) {
            top->dir.kept = 0;
            top->has_ended = false;
            return;
        }
    }
    pop(me, is_gone);
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

static void join_crew(struct crew *crew, struct walker *me)
{
    me->crew = crew;
    me->depth = 0;
    me->open = 0;
    me->costly = 0;
    lock(crew);
    me->number = (int)crew->count;
    crew->walkers[crew->count++] = me;
    unlock(crew);
}

static void *help(void *argument)
{
    struct crew *crew = argument;
    struct walker me;

    join_crew(crew, &me);
    lock(crew);
    while (!crew->is_over) {
        if (!steal(&me)) {
            wait_for_news(crew);
            continue;
        }
        unlock(crew);
        work(&me);
        lock(crew);
    }
    unlock(crew);
    return NULL;
}

/* The limit is raised as far as it may be: the child that walks ends soon. */
static size_t files_for_each(void)
{
    struct rlimit limit = { 0 };

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        limit.rlim_cur = limit.rlim_max = 256;
    limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        limit.rlim_cur = 256;
    size_t most = (size_t)limit.rlim_cur;
    return most > 2 * FILES_SPARE ? (most - FILES_SPARE) / WALK_CREW_MAX : 8;
}

bool walk_run(const struct walk_root *roots, size_t count, unsigned wanted,
              const struct walk_calls *calls, void *context)
{
    struct walker me;
    struct crew crew = {
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .news = PTHREAD_COND_INITIALIZER,
        .wanted = wanted < WALK_CREW_MAX ? wanted : WALK_CREW_MAX,
        .open_max = files_for_each(),
        .calls = calls,
        .context = context,
    };

    join_crew(&crew, &me);
    for (size_t i = 0; i < count && !crew.is_stopped; i++) {
        struct frame root = {
            .dir = { .fd = roots[i].fd, .place = roots[i].place, .is_root = true },
            .path_length = strlen(roots[i].path),
        };
        if (root.path_length >= sizeof me.path)
            continue;
        memcpy(me.path, roots[i].path, root.path_length);
        root.dir.root_length = root.path_length;
        push(&me, &root);
        work(&me);
    }
    lock(&crew);
    crew.is_over = true;
    pthread_cond_broadcast(&crew.news);
    unlock(&crew);
    for (unsigned i = 0; i < crew.started; i++)
        pthread_join(crew.threads[i], NULL);
    return !crew.is_stopped;
}
