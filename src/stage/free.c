/*
 * Owns `free =`: goes through what the server will need, one after the other, and says what was in
 * its way. Ends and removes nothing itself.
 */
#include "stage/free.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/url.h"
#include "base/words.h"
#include "stage/holder.h"
#include "stage/place.h"
#include "stage/ports.h"
#include "stage/stale.h"

enum { ROUNDS_MAX = 3 };

static int free_port(struct holding *holding, struct fault *why)
{
    struct ports_address wanted;
    struct ports_sockets sockets;

    if (ports_address(holding->url->host, holding->url->port, &wanted, why) < 0)
        return -1;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (ports_find(&wanted, &sockets, why) < 0)
            return -1;
        if (sockets.count == 0)
            return 0;
        int result = holder_settle(holding, &sockets, why);
        if (result <= 0)
            return result;
    }
    return fault_set(why, "%s is taken again as often as its holder is ended", holding->name);
}

static const struct {
    const char *scheme;
    int (*free)(struct holding *holding, struct fault *why);
} ways[] = { { "tcp", free_port }, { "unix", stale_socket }, { "pidfile", stale_pidfile } };

static int check_url(const struct url *url, struct fault *why)
{
    struct ports_address address;

    if (strcmp(url->scheme, "tcp") == 0)
        return ports_address(url->host, url->port, &address, why);
    size_t length = strlen(url->path);
    for (size_t i = 0; i < COUNT(ways); i++)
        if (strcmp(url->scheme, ways[i].scheme) == 0)
            return url->path[length - 1] == '/' ? fault_set(why, "%s is a folder", url->path) : 0;
    return fault_set(why,
                     "%s: can't be freed: write tcp://0.0.0.0:8000, unix:/run/app.sock or "
                     "pidfile:/run/app.pid",
                     url->scheme);
}

static int check(const struct plan *plan, const struct stage_plan *stage, struct fault *why)
{
    int result = 0;

    if (stage->subjects.count == 0)
        return place_fault(plan, stage, why, "free = takes URLs like tcp://0.0.0.0:8000");
    for (size_t i = 0; i < stage->subjects.count; i++) {
        struct fault cause;
        struct url url;
        fault_clear(&cause);
        if (url_parse(stage->subjects.items[i], &url, &cause) < 0 || check_url(&url, &cause) < 0)
            result = place_fault(plan, stage, why, "free = %s", fault_line(&cause, 0));
    }
    return result;
}

static int free_one(const struct stage_run *run, const char *text, struct fault *why)
{
    char name[URL_TEXT_MAX];
    struct url url;
    struct holding holding = { .run = run, .url = &url, .name = name };
    const char *stage = run->stages[0]->name;
    int64_t began_ms = clock_ms();
    int result = -1;

    if (url_parse(text, &url, why) < 0)
        return -1;
    url_public(&url, name, sizeof name);
    for (size_t i = 0; i < COUNT(ways); i++)
        if (strcmp(url.scheme, ways[i].scheme) == 0)
            result = ways[i].free(&holding, why);
    if (result < 0)
        return -1;
    run->results[0].done += holding.did;
    log_event(LOG_INFO, "stage.done",
              LOG_FIELDS(LOG_TEXT("stage", stage), LOG_TEXT("url", name), LOG_NUMBER("seen", 1),
                         LOG_NUMBER("done", holding.did), LOG_NUMBER("bytes", 0),
                         LOG_NUMBER("ms", clock_ms() - began_ms)),
              "Freeing %s: %s", name, holding.outcome[0] ? holding.outcome : "it is free");
    return 0;
}

static int body(const struct stage_run *run, struct fault *why)
{
    const struct words *subjects = &run->stages[0]->subjects;
    int result = 0;

    for (size_t i = 0; i < subjects->count; i++) {
        run->results[0].seen++;
        if (free_one(run, subjects->items[i], why) == 0)
            continue;
        run->results[0].problems++;
        result = -1;
    }
    return result;
}

const struct stage_kind free_stage = { .action = ACTION_FREE, .check = check, .body = body };
