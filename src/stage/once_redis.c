/* Owns the marker and the lock in redis. Changes the lock only while it holds our own token. */
#include "stage/once_redis.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static int read_marker(void *self, const struct once_turn *once, char *out, struct fault *why)
{
    struct redis *redis = self;
    struct redis_reply reply;

    if (redis_call(redis, REDIS_WORDS("GET", once->marker_key), &reply, why) < 0)
        return -1;
    if (reply.type != REDIS_BULK && reply.type != REDIS_NIL)
        return redis_refused(redis, "GET", &reply, why);
    snprintf(out, ONCE_MARKER_MAX, "%.*s", ONCE_MARKER_MAX - 1, reply.text);
    return 0;
}

static int take_lock(void *self, const struct once_turn *once, char *holder, struct fault *why)
{
    struct redis *redis = self;
    struct redis_reply reply;
    char ttl_ms[24];
    int left = clock_left(once->deadline_ms);

    snprintf(ttl_ms, sizeof ttl_ms, "%d", left > 0 ? left : 1);
    const char *const *set = REDIS_WORDS("SET", once->lock_key, once->token, "NX", "PX", ttl_ms);
    if (redis_call(redis, set, &reply, why) < 0)
        return -1;
    if (reply.type == REDIS_STATUS)
        return 1;
    if (reply.type != REDIS_NIL)
        return redis_refused(redis, "SET", &reply, why);
    if (redis_call(redis, REDIS_WORDS("GET", once->lock_key), &reply, why) < 0)
        return -1;
    snprintf(holder, ONCE_TOKEN_MAX, "%.*s", ONCE_TOKEN_MAX - 1,
             reply.type == REDIS_BULK ? reply.text : "");
    return 0;
}

/* From here to EXEC the lock is watched: 1 when it is ours. */
static int watch_lock(struct redis *redis, const struct once_turn *once, struct fault *why)
{
    struct redis_reply reply;

    if (redis_call(redis, REDIS_WORDS("WATCH", once->lock_key), &reply, why) < 0)
        return -1;
    if (reply.type != REDIS_STATUS)
        return redis_refused(redis, "WATCH", &reply, why);
    if (redis_call(redis, REDIS_WORDS("GET", once->lock_key), &reply, why) < 0)
        return -1;
    if (reply.type == REDIS_ERROR)
        return redis_refused(redis, "GET", &reply, why);
    return reply.type == REDIS_BULK && strcmp(reply.text, once->token) == 0;
}

/* What EXEC answers: one reply for each command, whose `names` these are. 1 with a fault: all were
 * done, but one of them failed. */
static int read_exec(struct redis *redis, const char *const *names, struct fault *why)
{
    size_t expected = 0;
    struct redis_reply reply;
    int result = 0;

    while (names[expected])
        expected++;
    if (redis_read(redis, &reply, why) < 0)
        return -1;
    if (reply.type == REDIS_NIL)
        return fault_set(why, "%s: the lock was lost meanwhile, so nothing was done", redis->name);
    if (reply.type != REDIS_ARRAY || reply.number != (int64_t)expected)
        return redis_refused(redis, "EXEC", &reply, why);
    for (size_t i = 0; i < expected; i++) {
        if (redis_read(redis, &reply, why) < 0)
            return -1;
        if (reply.type == REDIS_ERROR && result == 0) {
            redis_refused(redis, names[i], &reply, why);
            result = 1;
        }
    }
    return result;
}

enum { BATCH_MAX = 4 };

/* MULTI, the commands, EXEC, all sent at once. -1: none was done; 1: see read_exec. */
static int transact(struct redis *redis, const char *const *const *commands, struct fault *why)
{
    const char *names[BATCH_MAX + 1] = { NULL };
    struct redis_reply reply;
    bool is_refused = false;
    size_t count = 0;

    if (redis_send(redis, REDIS_WORDS("MULTI"), why) < 0)
        return -1;
    for (; count < BATCH_MAX && commands[count]; count++) {
        names[count] = commands[count][0];
        if (redis_send(redis, commands[count], why) < 0)
            return -1;
    }
    if (redis_send(redis, REDIS_WORDS("EXEC"), why) < 0)
        return -1;
    for (size_t i = 0; i <= count; i++) {
        if (redis_read(redis, &reply, why) < 0)
            return -1;
        if (reply.type != REDIS_STATUS && !is_refused) {
            redis_refused(redis, i == 0 ? "MULTI" : names[i - 1], &reply, why);
            is_refused = true;
        }
    }
    if (!is_refused)
        return read_exec(redis, names, why);
    /* EXEC is refused too then; its answer says nothing new. */
    struct fault unneeded;
    fault_clear(&unneeded);
    int last = redis_read(redis, &reply, &unneeded);
    return last < 0 ? last : -1;
}

static int give_back(void *self, const struct once_turn *once, struct fault *why)
{
    struct redis *redis = self;
    int is_ours = watch_lock(redis, once, why);

    if (is_ours <= 0)
        return is_ours;
    const char *const *const commands[] = { REDIS_WORDS("DEL", once->lock_key), NULL };
    return transact(redis, commands, why) == 0 ? 0 : -1;
}

struct once_store once_redis_store(struct redis *redis)
{
    return (struct once_store){
        .self = redis, .read = read_marker, .lock = take_lock, .unlock = give_back
    };
}

/* EXEC does all of its commands even when one fails: then the marker would lie. */
static void restore_marker(struct redis *redis, const struct once_turn *once)
{
    struct redis_reply reply;
    struct fault unneeded;
    const char *const *command = once->marker[0] != '\0'
                                     ? REDIS_WORDS("SET", once->marker_key, once->marker)
                                     : REDIS_WORDS("DEL", once->marker_key);

    fault_clear(&unneeded);
    if (redis_call(redis, command, &reply, &unneeded) < 0)
        return;
}

int once_redis_done(struct redis *redis, const struct once_turn *once, const char *const *command,
                    struct fault *why)
{
    char marker[ONCE_MARKER_MAX];
    /* Without a command the lock is simply given back first. */
    const char *const *const commands[] = {
        command ? command : REDIS_WORDS("DEL", once->lock_key),
        REDIS_WORDS("SET", once->marker_key, marker),
        /* A flush has removed the lock already; a second DEL costs nothing. */
        REDIS_WORDS("DEL", once->lock_key),
        NULL,
    };
    int is_ours = watch_lock(redis, once, why);

    if (is_ours < 0)
        return -1;
    if (is_ours == 0)
        return fault_set(why,
                         "%s: the lock was lost meanwhile (not done in time), so nothing is "
                         "marked as done",
                         redis->name);
    once_marker(once, marker, sizeof marker);
    int result = transact(redis, commands, why);
    if (result > 0)
        restore_marker(redis, once);
    return result == 0 ? 0 : -1;
}
