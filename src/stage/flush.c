/* Owns the list of servers of a flush stage. One that fails does not keep the others from it. */
#include "stage/flush.h"

#include <string.h>

#include "base/log.h"
#include "base/url.h"
#include "net/login.h"
#include "stage/change.h"
#include "stage/flush_memcached.h"
#include "stage/flush_redis.h"
#include "stage/once.h"
#include "stage/place.h"

/* What is known of a scheme; "x+unix" is an x. */
static const struct server {
    const char *scheme;
    int (*check)(const struct plan *plan, const struct stage_plan *stage, const struct url *url,
                 struct fault *why);
    int (*run)(const struct stage_run *run, const struct url *url, struct fault *why);
} servers[] = {
    { "redis", flush_redis_check, flush_redis_run },
    { "memcached", flush_memcached_check, flush_memcached_run },
};

static const struct server *find_server(const struct url *url)
{
    size_t length = strcspn(url->scheme, "+");

    for (size_t i = 0; i < COUNT(servers); i++)
        if (strlen(servers[i].scheme) == length &&
            strncmp(servers[i].scheme, url->scheme, length) == 0)
            return &servers[i];
    return NULL;
}

static int check(const struct plan *plan, const struct stage_plan *stage, struct fault *why)
{
    int result = once_check(plan, stage, why);

    for (size_t i = 0; i < stage->subjects.count; i++) {
        struct url url;
        struct fault inner;
        fault_clear(&inner);
        if (url_parse(stage->subjects.items[i], &url, &inner) < 0) {
            result = place_fault(plan, stage, why, "flush: %s", fault_line(&inner, 0));
            continue;
        }
        const struct server *server = find_server(&url);
        if (!server)
            result = place_fault(plan, stage, why,
                                 "flush: %s:// can't be flushed, only redis://, redis+unix://, "
                                 "memcached:// and memcached+unix:// can",
                                 url.scheme);
        else if (server->check(plan, stage, &url, why) < 0)
            result = -1;
    }
    return result;
}

static int flush_one(const struct stage_run *run, const char *subject, struct fault *why)
{
    struct url url;
    char name[LOGIN_NAME_SIZE];

    if (url_parse(subject, &url, why) < 0)
        return -1;
    const struct server *server = find_server(&url);
    if (!server)
        return fault_set(why, "%s:// can't be flushed", url.scheme);
    if (!run->is_dry)
        return server->run(run, &url, why);
    log_event(LOG_INFO, "stage.dry", LOG_FIELDS(LOG_TEXT("stage", run->stages[0]->name)),
              "Would flush %s", login_name(&url, name, sizeof name));
    return 0;
}

static int body(const struct stage_run *run, struct fault *why)
{
    const struct stage_plan *stage = run->stages[0];
    struct change change;
    int is_due = change_look(run, stage, &change, why);
    int result = 0;

    if (is_due <= 0)
        return is_due;
    for (size_t i = 0; i < stage->subjects.count; i++)
        if (flush_one(run, stage->subjects.items[i], why) < 0)
            result = -1;
    return result < 0 ? -1 : change_done(&change, why);
}

const struct stage_kind flush_stage = { .action = ACTION_FLUSH, .check = check, .body = body };
