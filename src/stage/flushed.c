/*
 * Reads the marker that a flush leaves in the cache itself. Changes nothing there.
 */
#include "stage/flushed.h"

#include <stdio.h>
#include <string.h>

#include "stage/once_memcached.h"
#include "stage/once_redis.h"

static int read_redis(const struct login *login, struct once_turn *once, struct fault *why)
{
    struct redis redis;

    if (redis_open(&redis, login, why) < 0)
        return -1;
    const struct once_store store = once_redis_store(&redis);
    int result = store.read(store.self, once, once->marker, why);
    redis_close(&redis);
    return result;
}

static int read_memcached(const struct login *login, struct once_turn *once, struct fault *why)
{
    struct memcached memcached;

    if (memcached_open(&memcached, login, why) < 0)
        return -1;
    const struct once_store store = once_memcached_store(&memcached);
    int result = store.read(store.self, once, once->marker, why);
    memcached_close(&memcached);
    return result;
}

int flushed_look(const struct flushed *flushed, struct once_mark *out, struct fault *why)
{
    const struct stage_plan *stage = flushed->stage;
    const struct login login = { .url = flushed->url,
                                 .password_file = stage->password_file,
                                 .deadline_ms = flushed->deadline_ms };
    bool is_redis = strncmp(flushed->url->scheme, "redis", 5) == 0;
    struct once_turn once = { .deadline_ms = flushed->deadline_ms };
    static const char *const phases[] = { "start", "ready", "reload", "build" };

    once_key(stage->name, "marker", once.marker_key);
    if ((is_redis ? read_redis : read_memcached)(&login, &once, why) < 0)
        return -1;
    const char *id = stage->once_id ? stage->once_id : flushed->plan->release;
    for (size_t i = 0; i < COUNT(phases); i++)
        if (once_find(once.marker, id, phases[i], out))
            return 1;
    return 0;
}
