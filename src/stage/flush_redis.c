/* Owns what is forgotten in redis. Never touches the markers and locks of `once`, nor a key that no
 * pattern names. */
#include "stage/flush_redis.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "net/redis.h"
#include "stage/once_redis.h"
#include "stage/place.h"
#include "stage/turn.h"

enum { BATCH_BYTES = 64 * 1024, BATCH_KEYS = 1000 };
#define SCAN_COUNT "1000"

/* One flush of one database. */
struct flush {
    struct turn turn;
    struct redis redis;
    bool is_old;         /* before 4.0: neither UNLINK nor FLUSHDB ASYNC */
    int64_t keys_before; /* -1: it does not say */
    int64_t bytes_before;
    int64_t removed;
    int64_t too_long; /* keys that no buffer of ours holds */
    size_t batch_count;
    size_t batch_used;
    uint16_t batch_size[BATCH_KEYS];
    char batch[BATCH_BYTES];
};

/* "*", and "?*" as well: no key is empty. */
static bool is_everything(const char *pattern)
{
    const char *mark = strchr(pattern, '?');

    return pattern[strspn(pattern, "*?")] == '\0' && strchr(pattern, '*') &&
           (!mark || !strchr(mark + 1, '?'));
}

int flush_redis_check(const struct plan *plan, const struct stage_plan *stage,
                      const struct url *url, struct fault *why)
{
    int64_t database;
    struct fault inner;

    fault_clear(&inner);
    if (redis_database(url, &database, &inner) < 0)
        return place_fault(plan, stage, why, "flush: %s", fault_line(&inner, 0));
    if (stage->all && stage->keys.count > 0)
        return place_fault(plan, stage, why, "flush: either keys = or all = yes, not both");
    if (!stage->all && stage->keys.count == 0)
        return place_fault(plan, stage, why,
                           "flush: say what redis is to forget: keys = myapp:cache:*, or the whole "
                           "database with all = yes");
    for (size_t i = 0; i < stage->keys.count; i++)
        if (is_everything(stage->keys.items[i]))
            return place_fault(plan, stage, why,
                               "keys: \"%s\" is the whole database: write all = yes instead",
                               stage->keys.items[i]);
    return 0;
}

/* A number that redis gives for the asking, or -1: a user of few rights may flush all the same. */
static int ask_number(struct redis *redis, const char *const *words, const char *name, int64_t *out,
                      struct fault *why)
{
    struct redis_reply reply;

    *out = -1;
    if (redis_call(redis, words, &reply, why) < 0)
        return -1;
    if (reply.type == REDIS_NUMBER)
        *out = reply.number;
    if (reply.type != REDIS_BULK)
        return 0;
    const char *found = strstr(reply.text, name);
    if (found)
        *out = strtoll(found + strlen(name), NULL, 10);
    return 0;
}

static int ask_size(struct redis *redis, int64_t *keys, int64_t *bytes, struct fault *why)
{
    if (ask_number(redis, REDIS_WORDS("DBSIZE"), "", keys, why) < 0)
        return -1;
    return ask_number(redis, REDIS_WORDS("INFO", "memory"), "\nused_memory:", bytes, why);
}

/* Sends what was collected. The answer is read later: SCAN's own may not be read to its end yet. */
static int send_batch(struct flush *flush, size_t *pending, struct fault *why)
{
    struct redis *redis = &flush->redis;
    const char *verb = flush->is_old ? "DEL" : "UNLINK";
    const char *key = flush->batch;

    if (flush->batch_count == 0)
        return 0;
    if (redis_send_count(redis, flush->batch_count + 1, why) < 0 ||
        redis_send_word(redis, verb, strlen(verb), why) < 0)
        return -1;
    for (size_t i = 0; i < flush->batch_count; i++) {
        if (redis_send_word(redis, key, flush->batch_size[i], why) < 0)
            return -1;
        key += flush->batch_size[i];
    }
    flush->batch_count = 0;
    flush->batch_used = 0;
    (*pending)++;
    return 0;
}

static bool is_own(const struct redis_reply *key)
{
    return strncmp(key->text, "freshinit:", strlen("freshinit:")) == 0;
}

static int take_key(struct flush *flush, const struct redis_reply *key, size_t *pending,
                    struct fault *why)
{
    if (is_own(key))
        return 0;
    if (key->length >= sizeof key->text) {
        flush->too_long++;
        return 0;
    }
    if ((flush->batch_count == BATCH_KEYS || flush->batch_used + key->length > BATCH_BYTES) &&
        send_batch(flush, pending, why) < 0)
        return -1;
    memcpy(flush->batch + flush->batch_used, key->text, key->length);
    flush->batch_used += key->length;
    flush->batch_size[flush->batch_count++] = (uint16_t)key->length;
    return 0;
}

static int read_removed(struct flush *flush, size_t pending, struct fault *why)
{
    struct redis_reply reply;

    for (; pending > 0; pending--) {
        if (redis_read(&flush->redis, &reply, why) < 0)
            return -1;
        if (reply.type != REDIS_NUMBER)
            return redis_refused(&flush->redis, flush->is_old ? "DEL" : "UNLINK", &reply, why);
        flush->removed += reply.number;
    }
    return 0;
}

/* One step of a SCAN: its keys are removed, and `cursor` moves on. */
static int scan_step(struct flush *flush, const char *pattern, char *cursor, size_t cursor_size,
                     struct fault *why)
{
    struct redis *redis = &flush->redis;
    struct redis_reply reply;
    size_t pending = 0;

    if (redis_call(redis, REDIS_WORDS("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_COUNT),
                   &reply, why) < 0)
        return -1;
    if (reply.type != REDIS_ARRAY || reply.number != 2)
        return redis_refused(redis, "SCAN", &reply, why);
    if (redis_read(redis, &reply, why) < 0)
        return -1;
    if (reply.type != REDIS_BULK || reply.length == 0 || reply.length >= cursor_size)
        return redis_refused(redis, "SCAN", &reply, why);
    memcpy(cursor, reply.text, reply.length + 1);
    if (redis_read(redis, &reply, why) < 0)
        return -1;
    if (reply.type != REDIS_ARRAY)
        return redis_refused(redis, "SCAN", &reply, why);
    for (int64_t left = reply.number; left > 0; left--) {
        if (redis_read(redis, &reply, why) < 0)
            return -1;
        if (reply.type != REDIS_BULK)
            return redis_refused(redis, "SCAN", &reply, why);
        if (take_key(flush, &reply, &pending, why) < 0)
            return -1;
    }
    if (send_batch(flush, &pending, why) < 0)
        return -1;
    return read_removed(flush, pending, why);
}

static int remove_keys(struct flush *flush, struct fault *why)
{
    for (size_t i = 0; i < flush->turn.stage->keys.count; i++) {
        char cursor[32] = "0";
        do {
            if (scan_step(flush, flush->turn.stage->keys.items[i], cursor, sizeof cursor, why) < 0)
                return -1;
        } while (strcmp(cursor, "0") != 0);
    }
    return 0;
}

static int remove_all(struct flush *flush, struct fault *why)
{
    const char *const *command =
        flush->is_old ? REDIS_WORDS("FLUSHDB") : REDIS_WORDS("FLUSHDB", "ASYNC");
    struct redis_reply reply;

    if (flush->turn.has_once)
        return once_redis_done(&flush->redis, &flush->turn.once, command, why);
    if (redis_call(&flush->redis, command, &reply, why) < 0)
        return -1;
    if (reply.type != REDIS_STATUS)
        return redis_refused(&flush->redis, "FLUSHDB", &reply, why);
    return 0;
}

static void tell(const struct flush *flush, int64_t keys_after, int64_t bytes_after)
{
    const struct stage_plan *stage = flush->turn.stage;
    int64_t ms = clock_ms() - flush->turn.began_ms;
    char time[32];
    char count[48] = "all keys";

    if (flush->removed >= 0)
        snprintf(count, sizeof count, "%" PRId64 " %s", flush->removed,
                 flush->removed == 1 ? "key" : "keys");
    log_event(LOG_INFO, "stage.done",
              LOG_FIELDS(LOG_TEXT("stage", stage->name), LOG_TEXT("server", flush->redis.name),
                         LOG_NUMBER("seen", flush->keys_before), LOG_NUMBER("done", flush->removed),
                         LOG_NUMBER("bytes", 0), LOG_NUMBER("keys_before", flush->keys_before),
                         LOG_NUMBER("keys_after", keys_after),
                         LOG_NUMBER("memory_before", flush->bytes_before),
                         LOG_NUMBER("memory_after", bytes_after), LOG_NUMBER("ms", ms)),
              "Flushing %s: %s%s%s %s, %s", flush->redis.name, count, stage->all ? "" : " ",
              stage->all               ? ""
              : stage->keys.count == 1 ? stage->keys.items[0]
                                       : "of the patterns",
              stage->all ? "forgotten" : "removed", text_show_ms(ms, time, sizeof time));
    if (flush->too_long > 0)
        log_event(LOG_WARN, "flush.kept", LOG_FIELDS(LOG_TEXT("stage", stage->name)),
                  "Flushing %s: %" PRId64 " keys with names of more than %d bytes were left",
                  flush->redis.name, flush->too_long, REDIS_TEXT_MAX - 1);
}

static int flush_now(void *self, struct fault *why)
{
    struct flush *flush = self;
    struct redis *redis = &flush->redis;
    struct stage_result *result = &flush->turn.run->results[0];
    int64_t keys_after = -1;
    int64_t bytes_after = -1;
    int64_t version = -1;

    if (ask_number(redis, REDIS_WORDS("INFO", "server"), "redis_version:", &version, why) < 0 ||
        ask_size(redis, &flush->keys_before, &flush->bytes_before, why) < 0)
        return -1;
    flush->keys_before = turn_without_own(&flush->turn, flush->keys_before);
    flush->is_old = version >= 0 && version < 4;
    if ((flush->turn.stage->all ? remove_all(flush, why) : remove_keys(flush, why)) < 0)
        return -1;
    if (!flush->turn.stage->all && flush->turn.has_once &&
        once_redis_done(redis, &flush->turn.once, NULL, why) < 0)
        return -1;
    if (flush->turn.stage->all)
        flush->removed = flush->keys_before;
    if (ask_size(redis, &keys_after, &bytes_after, why) < 0)
        return -1;
    result->seen += flush->keys_before > 0 ? flush->keys_before : 0;
    result->done += flush->removed > 0 ? flush->removed : 0;
    result->problems += flush->too_long;
    tell(flush, keys_after, bytes_after);
    return 0;
}

static int give_back(const struct once_turn *once, const struct login *login, struct fault *why)
{
    struct redis redis;

    if (redis_open(&redis, login, why) < 0)
        return -1;
    const struct once_store store = once_redis_store(&redis);
    int result = store.unlock(store.self, once, why);
    redis_close(&redis);
    return result;
}

int flush_redis_run(const struct stage_run *run, const struct url *url, struct fault *why)
{
    struct flush flush = { 0 };

    if (turn_prepare(&flush.turn, run, url, why) < 0 ||
        redis_open(&flush.redis, &flush.turn.login, why) < 0)
        return -1;
    const struct turn_server server = { .name = flush.redis.name,
                                        .store = once_redis_store(&flush.redis),
                                        .flush = flush_now,
                                        .self = &flush,
                                        .give_back = give_back };
    int result = turn_take(&flush.turn, &server, why);
    redis_close(&flush.redis);
    return result;
}
