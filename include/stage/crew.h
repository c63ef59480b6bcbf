/*
 * The threads of one walk and what they share: each has a stack of open folders, and one with
 * nothing left to do takes a folder from near the bottom of another one's. All of it lies on their
 * stacks. Each has descriptors of its own where the kernel can: a table that all share costs every
 * call a lock. So who takes a folder opens the way to it again, from the root.
 */
#ifndef STAGE_CREW_H
#define STAGE_CREW_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage/tree.h"
#include "stage/visit.h"

enum {
    FRAMES_MAX = 4096, /* Deeper than any path that could be opened by name. */
    NAMES_SIZE = 1 << 20,
    PATH_SIZE = 32 * 1024
};

struct frame {
    struct walk_dir dir;
    struct frame *parent; /* what it was found in, maybe another thread's; NULL for a root */
    const char *name;     /* in the names of the parent's thread */
    size_t path_start;
    size_t path_length;
    int above;   /* of a stolen one: this thread's own descriptor of what it was found in */
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
    size_t depth;  /* of frames */
    size_t open;   /* descriptors in frames */
    uint64_t work; /* done so far */
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
    int root;        /* the root that is walked, open in every thread */
    int roots_end;   /* above the descriptors of all roots */
    const struct walk_calls *calls;
    void *context;
};

void crew_lock(struct crew *crew);
void crew_unlock(struct crew *crew);

/* With the lock held: wakes those who wait for news; waits for some. */
void crew_tell(struct crew *crew);
void crew_wait(struct crew *crew);

/* A walker of its own, before its first folder. */
void crew_join(struct crew *crew, struct walker *me);

/* The other threads, as many as are wanted and can be had; asked for once. */
void crew_start(struct crew *crew, void *(*help)(void *crew));

/* The end of the other threads. */
void crew_end(struct crew *crew);

/* How many descriptors each walker may keep open. Raises the limit as far as it may be. */
size_t crew_files(void);

/* With the lock held: the next waiting folder of `frame`, or NULL. */
const char *crew_claim(const struct walker *owner, struct frame *frame);

/* With the lock held: a waiting folder of another walker, or NULL. */
struct frame *crew_find(const struct walker *me, const char **name);

/* A folder of `parent` is done with, whoever did it. */
void crew_count(struct crew *crew, struct frame *parent, bool is_gone, bool was_stolen);

#endif
