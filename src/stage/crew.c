/*
 * Who walks, and who takes what from whom. Opens and removes nothing.
 */
#include "stage/crew.h"

#include <limits.h>
#include <string.h>
#include <sys/resource.h>

/* The stack also holds what sanitizers keep for each thread. */
enum { FILES_SPARE = 64, STACK_SPARE = 2 * 1024 * 1024 };

void crew_lock(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
}

void crew_unlock(struct crew *crew)
{
    pthread_mutex_unlock(&crew->lock);
}

void crew_tell(struct crew *crew)
{
    if (crew->waiting > 0)
        pthread_cond_broadcast(&crew->news);
}

void crew_wait(struct crew *crew)
{
    crew->waiting++;
    pthread_cond_wait(&crew->news, &crew->lock);
    crew->waiting--;
}

void crew_join(struct crew *crew, struct walker *me)
{
    me->crew = crew;
    me->depth = 0;
    me->open = 0;
    me->work = 0;
    crew_lock(crew);
    me->number = (int)crew->count;
    crew->walkers[crew->count++] = me;
    crew_unlock(crew);
}

void crew_start(struct crew *crew, void *(*help)(void *crew))
{
    pthread_attr_t attributes;

    if (pthread_attr_init(&attributes) != 0)
        return;
    if (pthread_attr_setstacksize(&attributes, sizeof(struct walker) + STACK_SPARE) == 0) {
        while (crew->started + 1 < crew->wanted &&
               pthread_create(&crew->threads[crew->started], &attributes, help, crew) == 0)
            crew->started++;
    }
    pthread_attr_destroy(&attributes);
    /* Where none can be had, one walker does it all, and does not ask again. */
    crew->wanted = 0;
}

void crew_end(struct crew *crew)
{
    crew_lock(crew);
    crew->is_over = true;
    pthread_cond_broadcast(&crew->news);
    crew_unlock(crew);
    for (unsigned i = 0; i < crew->started; i++)
        pthread_join(crew->threads[i], NULL);
}

size_t crew_files(void)
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

const char *crew_claim(const struct walker *owner, struct frame *frame)
{
    if (frame->next == frame->end)
        return NULL;
    const char *name = owner->names + frame->next;
    frame->next += strlen(name) + 1;
    return name;
}

/* The outermost waiting folder of anyone else: the largest piece. */
struct frame *crew_find(const struct walker *me, const char **name)
{
    struct crew *crew = me->crew;

    for (unsigned i = 0; i < crew->count; i++) {
        struct walker *other = crew->walkers[i];
        if (other == me)
            continue;
        for (size_t at = 0; at < other->depth; at++) {
            struct frame *frame = &other->frames[at];
            if (frame->dir.fd < 0 || frame->is_lost || frame->dir.is_cut ||
                frame->path_length >= PATH_MAX)
                continue;
            *name = crew_claim(other, frame);
            if (*name)
                return frame;
        }
    }
    return NULL;
}

void crew_count(struct crew *crew, struct frame *parent, bool is_gone, bool was_stolen)
{
    crew_lock(crew);
    if (is_gone)
        parent->dir.folders_removed++;
    else
        parent->dir.kept++;
    if (was_stolen) {
        parent->outstanding--;
        crew_tell(crew);
    }
    crew_unlock(crew);
}
