/* What the loop runs: stages in their order, then the server. No functions. */
#ifndef INIT_JOB_H
#define INIT_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"

/* One child whose body is a function: a stage, or neighbours that share one walk. */
struct job {
    const char *name;
    unsigned when; /* of enum when */
    int64_t timeout_ms;
    enum on_error on_error;
    const struct identity *user;
    /* Returns the child's exit status: 0 when all went well. */
    int (*body)(const struct job *job, enum when phase);
    const void *context;
};

struct jobs {
    const struct job *items;
    size_t count;
    bool has_server; /* false: clean, which ends after its stages */
    enum when phase; /* of the first stages: start, or build */
};

#endif
