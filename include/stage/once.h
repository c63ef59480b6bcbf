/*
 * Once per release: who has done it already, and whose turn it is. The marker is one text that
 * lists the last ids, newest first; the lock ends by itself when the stage's time is over. Both lie
 * in a store that all replicas see.
 */
#ifndef STAGE_ONCE_H
#define STAGE_ONCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "stage/stage.h"

enum {
    ONCE_ID_MAX = 200,
    ONCE_HOST_MAX = 65,
    ONCE_KEY_MAX = 200,
    ONCE_TOKEN_MAX = 100,
    ONCE_MARKS = 8,
    ONCE_MARKER_MAX = 3072
};

struct once_mark {
    int64_t at_s; /* since 1970, by the clock of `host` */
    char host[ONCE_HOST_MAX];
    char phase[8];
    char id[ONCE_ID_MAX + 1];
};

struct once_turn {
    struct once_mark self; /* what will be listed when it is done */
    bool is_release;       /* the id is the release */
    char marker_key[ONCE_KEY_MAX];
    char lock_key[ONCE_KEY_MAX];
    char token[ONCE_TOKEN_MAX];   /* the lock's value: "host random" */
    int64_t deadline_ms;          /* of clock_ms; the lock ends with it */
    char marker[ONCE_MARKER_MAX]; /* as last read; "" when there is none */
    struct once_mark found;       /* who did it, after once_claim said 0 */
};

/* Where marker and lock lie. Each returns -1 with a fault, and is told its own `self`. */
struct once_store {
    void *self;
    /* "" when there is none. */
    int (*read)(void *self, const struct once_turn *once, char *out, struct fault *why);
    /* 1: taken; 0: another has it, whose value is in `holder`, of ONCE_TOKEN_MAX. */
    int (*lock)(void *self, const struct once_turn *once, char *holder, struct fault *why);
    /* Only where it still is ours. */
    int (*unlock)(void *self, const struct once_turn *once, struct fault *why);
    /* Another may still be about to write the marker this long after the lock was free. */
    int settle_ms;
};

/* 1: ask once_claim; 0: to be done each time, as asked, or because no release is known (which it
 * says). */
MUST_USE int once_prepare(const struct stage_run *run, const struct stage_plan *stage,
                          struct once_turn *out, struct fault *why);

/* Waits its turn. 1: it is ours to do, and the lock is held; 0: it is done already. */
MUST_USE int once_claim(struct once_turn *once, const struct once_store *store, struct fault *why);

/* The marker with our own line first, and no more than ONCE_MARKS lines. */
void once_marker(const struct once_turn *once, char *out, size_t out_size);

/* The line of the marker with this id and phase; false when it is not listed. */
bool once_find(const char *marker, const char *id, const char *phase, struct once_mark *out);

/* "done already for release 3f2a9c1 (by web-2, 12 s ago)". Returns `out`. */
const char *once_show(const struct once_turn *once, char *out, size_t out_size);

/* "freshinit:STAGE:WHAT" into `out`, of ONCE_KEY_MAX: fit for a redis or memcached key, and for a
 * file. */
void once_key(const char *stage, const char *what, char *out);

/* What can be known of `once`, `once_id` and `once_at` while the plan is made. */
int once_check(const struct plan *plan, const struct stage_plan *stage, struct fault *why);

#endif
