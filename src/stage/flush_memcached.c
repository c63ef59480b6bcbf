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
#include "stage/turn.h"

/* One flush of one server. */
struct flush {
    struct turn turn;
    struct memcached memcached;
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
    if (!flush->turn.has_once || flush->turn.once.marker[0] != '\0')
        return out;
    snprintf(out, out_size, " (it held no marker: first time, restarted or evicted; up %s)",
             text_show_ms(stats->uptime_s > 0 ? stats->uptime_s * 1000 : 0, uptime, sizeof uptime));
    return out;
}

static void tell(const struct flush *flush, const struct memcached_stats *before,
                 const struct memcached_stats *after)
{
    int64_t ms = clock_ms() - flush->turn.began_ms;
    char time[32];
    char bytes[32];
    char note[128];
    char what[96] = "everything";

    if (before->items >= 0)
        snprintf(what, sizeof what, "%" PRId64 " %s, %s", before->items,
                 before->items == 1 ? "item" : "items",
                 text_show_bytes(before->bytes > 0 ? before->bytes : 0, bytes, sizeof bytes));
    log_event(LOG_INFO, "stage.done",
              LOG_FIELDS(LOG_TEXT("stage", flush->turn.stage->name),
                         LOG_TEXT("server", flush->memcached.name),
                         LOG_NUMBER("seen", before->items), LOG_NUMBER("done", before->items),
                         LOG_NUMBER("bytes", before->bytes),
                         LOG_NUMBER("items_after", after->items),
                         LOG_NUMBER("bytes_after", after->bytes), LOG_NUMBER("ms", ms)),
              "Flushing %s: %s forgotten, %s%s", flush->memcached.name, what,
              text_show_ms(ms, time, sizeof time), show_new(flush, before, note, sizeof note));
}

static int flush_now(void *self, struct fault *why)
{
    struct flush *flush = self;
    struct memcached *memcached = &flush->memcached;
    struct stage_result *result = &flush->turn.run->results[0];
    struct memcached_stats before;
    struct memcached_stats after;

    if (memcached_stats(memcached, &before, why) < 0)
        return -1;
    before.items = turn_without_own(&flush->turn, before.items);
    if ((flush->turn.has_once ? once_memcached_flush(memcached, &flush->turn.once, why)
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

static int give_back(const struct once_turn *once, const struct login *login, struct fault *why)
{
    struct memcached memcached;

    if (memcached_open(&memcached, login, why) < 0)
        return -1;
    const struct once_store store = once_memcached_store(&memcached);
    int result = store.unlock(store.self, once, why);
    memcached_close(&memcached);
    return result;
}

int flush_memcached_run(const struct stage_run *run, const struct url *url, struct fault *why)
{
    struct flush flush = { 0 };

    if (turn_prepare(&flush.turn, run, url, why) < 0 ||
        memcached_open(&flush.memcached, &flush.turn.login, why) < 0)
        return -1;
    const struct turn_server server = { .name = flush.memcached.name,
                                        .store = once_memcached_store(&flush.memcached),
                                        .flush = flush_now,
                                        .self = &flush,
                                        .give_back = give_back };
    int result = turn_take(&flush.turn, &server, why);
    memcached_close(&flush.memcached);
    return result;
}
