/* Owns what is forgotten in memcached: everything, and only where that was asked for in so many
 * words. */
#include "stage/flush_memcached.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "net/memcached.h"
#include "stage/once_memcached.h"
#include "stage/place.h"

enum { KEPT_MS = 1000 };

/* One flush of one server. */
struct flush {
    const struct stage_run *run;
    const struct stage_plan *stage;
    struct memcached memcached;
    struct once_turn once;
    bool has_once;
    int64_t began_ms;
};

int flush_memcached_check(const struct plan *plan, const struct stage_plan *stage,
                          const struct url *url, struct fault *why)
{
    (void)url;
    if (stage->keys.count > 0)
        return place_fault(plan, stage, why,
                           "keys is for redis: memcached can only forget everything");
    if (!stage->all)
        return place_fault(plan, stage, why,
                           "flush: memcached can only forget everything, for everyone who uses it: "
                           "write all = yes if that is meant");
    return 0;
}

/* Why a flush was due that an earlier replica may have done. */
static const char *show_new(const struct flush *flush, const struct memcached_stats *stats,
                            char *out, size_t out_size)
{
    char uptime[32];

    out[0] = '\0';
    if (!flush->has_once || flush->once.marker[0] != '\0')
        return out;
    snprintf(out, out_size, " (it held no marker: first time, restarted or evicted; up %s)",
             text_show_ms(stats->uptime_s > 0 ? stats->uptime_s * 1000 : 0, uptime, sizeof uptime));
    return out;
}

static void tell(const struct flush *flush, const struct memcached_stats *before,
                 const struct memcached_stats *after)
{
    int64_t ms = clock_ms() - flush->began_ms;
    char time[32];
    char bytes[32];
    char note[128];
    char what[96] = "everything";

    if (before->items >= 0)
        snprintf(what, sizeof what, "%" PRId64 " %s, %s", before->items,
                 before->items == 1 ? "item" : "items",
                 text_show_bytes(before->bytes > 0 ? before->bytes : 0, bytes, sizeof bytes));
    log_event(LOG_INFO, "stage.done",
              LOG_FIELDS(LOG_TEXT("stage", flush->stage->name),
                         LOG_TEXT("server", flush->memcached.name),
                         LOG_NUMBER("seen", before->items), LOG_NUMBER("done", before->items),
                         LOG_NUMBER("bytes", before->bytes),
                         LOG_NUMBER("items_after", after->items),
                         LOG_NUMBER("bytes_after", after->bytes), LOG_NUMBER("ms", ms)),
              "Flushing %s: %s forgotten, %s%s", flush->memcached.name, what,
              text_show_ms(ms, time, sizeof time), show_new(flush, before, note, sizeof note));
}

static int flush_now(struct flush *flush, struct fault *why)
{
    struct memcached *memcached = &flush->memcached;
    struct stage_result *result = &flush->run->results[0];
    struct memcached_stats before;
    struct memcached_stats after;

    if (memcached_stats(memcached, &before, why) < 0)
        return -1;
    /* Lock and marker are ours, not the cache's. */
    if (flush->has_once && before.items > 0)
        before.items -= flush->once.marker[0] != '\0' && before.items > 1 ? 2 : 1;
    if ((flush->has_once ? once_memcached_flush(memcached, &flush->once, why)
                         : memcached_flush(memcached, NULL, why)) < 0)
        return -1;
    if (memcached_stats(memcached, &after, why) < 0)
        return -1;
    result->seen += before.items > 0 ? before.items : 0;
    result->done += before.items > 0 ? before.items : 0;
    result->bytes += before.bytes > 0 ? before.bytes : 0;
    tell(flush, &before, &after);
    return 0;
}

/* A failed flush gives the lock back, by a connection of its own: the old one may be why. */
static void give_back(const struct flush *flush, const struct login *login)
{
    struct memcached memcached;
    struct fault unneeded;
    const struct login again = { .url = login->url,
                                 .password_file = login->password_file,
                                 .deadline_ms = clock_ms() + KEPT_MS };

    fault_clear(&unneeded);
    if (memcached_open(&memcached, &again, &unneeded) < 0)
        return;
    const struct once_store store = once_memcached_store(&memcached);
    if (store.unlock(store.self, &flush->once, &unneeded) < 0)
        log_event(LOG_DEBUG, "once.kept", LOG_FIELDS(LOG_TEXT("stage", flush->stage->name)),
                  "Flushing %s: the lock stays until its time is over: %s", memcached.name,
                  fault_line(&unneeded, 0));
    memcached_close(&memcached);
}

/* Whose turn it is, and then the flush. */
static int flush_in_turn(struct flush *flush, const struct login *login, struct fault *why)
{
    char text[512];
    const struct once_store store = once_memcached_store(&flush->memcached);
    int is_ours = flush->has_once ? once_claim(&flush->once, &store, why) : 1;

    if (is_ours < 0)
        return -1;
    if (is_ours == 0) {
        flush->run->results[0].skipped = 1;
        log_event(LOG_INFO, "stage.done",
                  LOG_FIELDS(LOG_TEXT("stage", flush->stage->name),
                             LOG_TEXT("server", flush->memcached.name), LOG_NUMBER("skipped", 1)),
                  "Flushing %s: %s", flush->memcached.name,
                  once_show(&flush->once, text, sizeof text));
        return 0;
    }
    if (flush_now(flush, why) == 0)
        return 0;
    if (flush->has_once)
        give_back(flush, login);
    return -1;
}

int flush_memcached_run(const struct stage_run *run, const struct url *url, struct fault *why)
{
    struct flush flush = { .run = run, .stage = run->stages[0], .began_ms = clock_ms() };
    const struct login login = { .url = url,
                                 .password_file = flush.stage->password_file,
                                 .deadline_ms = run->deadline_ms };
    int has_once = once_prepare(run, flush.stage, &flush.once, why);

    if (has_once < 0)
        return -1;
    flush.has_once = has_once == 1;
    if (memcached_open(&flush.memcached, &login, why) < 0)
        return -1;
    int result = flush_in_turn(&flush, &login, why);
    memcached_close(&flush.memcached);
    return result;
}
