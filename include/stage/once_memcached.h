/* Marker and lock in a memcached, whose flush wipes both. */
#ifndef STAGE_ONCE_MEMCACHED_H
#define STAGE_ONCE_MEMCACHED_H

#include "base/attr.h"
#include "base/fault.h"
#include "net/memcached.h"
#include "stage/once.h"

struct once_store once_memcached_store(struct memcached *memcached);

/* Flushes and sets the marker in one breath, and sets it again until it stays. */
MUST_USE int once_memcached_flush(struct memcached *memcached, const struct once_turn *once,
                                  struct fault *why);

#endif
