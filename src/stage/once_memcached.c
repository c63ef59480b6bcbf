/* Owns the marker and the lock in memcached. A flush done twice is possible there, one missed is
 * not. */
#include "stage/once_memcached.h"

#include <string.h>

#include "base/clock.h"

enum {
    /* A time beyond that would be taken as a date. */
    EXPIRES_MAX_S = 30 * 24 * 3600,
    /* The flush wipes the lock as well, so that a second one may get it before the first one's
     * marker, sent in the same packet, is set. */
    SETTLE_MS = 25,
    AGAIN_MS = 100
};

static int read_marker(void *self, const struct once_turn *once, char *out, struct fault *why)
{
    return memcached_get(self, once->marker_key, out, ONCE_MARKER_MAX, why) < 0 ? -1 : 0;
}

static int take_lock(void *self, const struct once_turn *once, char *holder, struct fault *why)
{
    int left = clock_left(once->deadline_ms);
    int64_t expires_s = left > 0 ? (left + 999) / 1000 : 1;
    const struct memcached_item lock = {
        .key = once->lock_key,
        .value = once->token,
        .expires_s = left < 0 || expires_s > EXPIRES_MAX_S ? EXPIRES_MAX_S : expires_s,
    };
    int is_ours = memcached_add(self, &lock, why);

    if (is_ours != 0)
        return is_ours;
    return memcached_get(self, once->lock_key, holder, ONCE_TOKEN_MAX, why) < 0 ? -1 : 0;
}

static int give_back(void *self, const struct once_turn *once, struct fault *why)
{
    char holder[ONCE_TOKEN_MAX];
    int is_there = memcached_get(self, once->lock_key, holder, sizeof holder, why);

    if (is_there < 0)
        return -1;
    if (is_there == 0 || strcmp(holder, once->token) != 0)
        return 0;
    return memcached_delete(self, once->lock_key, why);
}

struct once_store once_memcached_store(struct memcached *memcached)
{
    return (struct once_store){ .self = memcached,
                                .read = read_marker,
                                .lock = take_lock,
                                .unlock = give_back,
                                .settle_ms = SETTLE_MS };
}

int once_memcached_flush(struct memcached *memcached, const struct once_turn *once,
                         struct fault *why)
{
    char marker[ONCE_MARKER_MAX];
    char seen[ONCE_MARKER_MAX];
    const struct memcached_item item = { .key = once->marker_key, .value = marker };

    once_marker(once, marker, sizeof marker);
    if (memcached_flush(memcached, &item, why) < 0)
        return -1;
    /* Its clock has seconds: some versions forget what is set in the second of the flush. */
    for (;;) {
        int is_there = memcached_get(memcached, once->marker_key, seen, sizeof seen, why);
        if (is_there < 0)
            return -1;
        if (is_there)
            return 0;
        if (clock_left(once->deadline_ms) == 0)
            return fault_set(why, "%s: flushed, but it does not keep the marker", memcached->name);
        clock_rest(AGAIN_MS);
        if (memcached_set(memcached, &item, why) < 0)
            return -1;
    }
}
