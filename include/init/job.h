/* What the loop runs: stages in their order, then the server. No functions. */
#ifndef INIT_JOB_H
#define INIT_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/event.h"
#include "plan/plan.h"
#include "proc/listen.h"
#include "proc/notify.h"

/* One child whose body is a function: a stage, or neighbours that share one walk. */
struct job {
    const char *name;
    unsigned when; /* of enum when */
    int64_t timeout_ms;
    enum on_error on_error;
    bool refreshes; /* clears, empties, touches or flushes something */
    const struct identity *user;
    /* Returns the child's exit status: 0 when all went well. */
    int (*body)(const struct job *job, enum when phase);
    /* Runs in the child before it becomes `user`. NULL: nothing is needed. */
    void (*prepare)(const struct job *job);
    const void *context;
    size_t first_stage; /* of the plan's: it and those that follow share the child */
    size_t stage_count;
    struct stage_result *results; /* one for each of them, shared with the child */
};

struct jobs {
    const struct job *items;
    size_t count;
    bool has_server; /* false: clean, which ends after its stages */
    /* Runs in a child: 0 when the server whose process group this is is ready, 1 when its time is
     * over. NULL: nothing tells. */
    int (*probe)(const struct plan *plan, pid_t group, const struct listeners *listeners,
                 const struct notify *notify);
    bool is_notified;    /* the server says itself when it is ready */
    bool asks_workers;   /* the probe can tell of new workers, too */
    enum policy_way way; /* how a reload replaces the server */
    bool recycles;       /* a server that ends by itself with 0 is started again */
    enum when phase;     /* of the first stages: start, or build */
};

#endif
