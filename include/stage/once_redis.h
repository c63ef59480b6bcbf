/* Marker and lock in a redis database. */
#ifndef STAGE_ONCE_REDIS_H
#define STAGE_ONCE_REDIS_H

#include "base/attr.h"
#include "base/fault.h"
#include "net/redis.h"
#include "stage/once.h"

struct once_store once_redis_store(struct redis *redis);

/* Writes the marker and gives the lock back, in one MULTI with `command` (NULL: nothing more), and
 * only while the lock is still ours. A command that failed leaves no marker. */
MUST_USE int once_redis_done(struct redis *redis, const struct once_turn *once,
                             const char *const *command, struct fault *why);

#endif
