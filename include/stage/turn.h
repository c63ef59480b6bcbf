/* Whose turn a flush is when several replicas start: only one does it. Without `once` it always is
 * ours. */
#ifndef STAGE_TURN_H
#define STAGE_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/url.h"
#include "net/login.h"
#include "stage/once.h"
#include "stage/stage.h"

/* The run's first stage, on one server. */
struct turn {
    const struct stage_run *run;
    const struct stage_plan *stage;
    struct login login;
    struct once_turn once;
    bool has_once;
    int64_t began_ms;
};

/* The server, connected. */
struct turn_server {
    const char *name;
    struct once_store store;
    int (*flush)(void *self, struct fault *why);
    void *self; /* of `flush` */
    /* Gives the lock back by a connection of its own. */
    int (*give_back)(const struct once_turn *once, const struct login *login, struct fault *why);
};

MUST_USE int turn_prepare(struct turn *out, const struct stage_run *run, const struct url *url,
                          struct fault *why);

/* Waits for the turn, and flushes or says who did it. A failed flush gives the lock back. */
MUST_USE int turn_take(struct turn *turn, const struct turn_server *server, struct fault *why);

/* `count` of the cache's entries without the lock and the marker: they are ours. */
int64_t turn_without_own(const struct turn *turn, int64_t count);

#endif
