/* Owns what "ready" means for each scheme. Asks once: who waits, asks again. */
#include "net/ready.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/dial.h"
#include "net/http.h"
#include "net/memcached.h"
#include "net/postgres.h"
#include "net/redis.h"

struct asker {
    const char *scheme;
    int (*ask)(const struct ready_query *query, int64_t deadline_ms, struct fault *why);
};

static int ask_stream(const struct ready_query *query, int64_t deadline_ms, struct fault *why)
{
    int fd = dial_url(query->url, deadline_ms, why);

    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

static int ask_file(const struct ready_query *query, int64_t deadline_ms, struct fault *why)
{
    struct stat st;

    (void)deadline_ms;
    return stat(query->url->path, &st) < 0 ? fault_errno(why, "can't find it") : 0;
}

static int ask_http(const struct ready_query *query, int64_t deadline_ms, struct fault *why)
{
    const struct http_query request = { .url = query->url,
                                        .deadline_ms = deadline_ms,
                                        .text = query->body };
    struct http_answer answer;

    if (http_request(&request, &answer, why) < 0)
        return -1;
    if (query->status != 0 && answer.status != query->status)
        return fault_set(why, "it answered %d, not %d", answer.status, (int)query->status);
    if (query->status == 0 && (answer.status < 200 || answer.status > 399))
        return fault_set(why, "it answered %d", answer.status);
    if (query->body && !answer.has_text)
        return fault_set(why, "it answered %d, without \"%s\" in the body", answer.status,
                         query->body);
    return 0;
}

static int ask_postgres(const struct ready_query *query, int64_t deadline_ms, struct fault *why)
{
    return postgres_ready(query->url, deadline_ms, why);
}

static int ask_redis(const struct ready_query *query, int64_t deadline_ms, struct fault *why)
{
    const struct login login = { .url = query->url,
                                 .password_file = query->password_file,
                                 .deadline_ms = deadline_ms };
    struct redis redis;
    struct redis_reply reply;

    if (redis_open(&redis, &login, why) < 0)
        return -1;
    int result = redis_call(&redis, REDIS_WORDS("PING"), &reply, why);
    if (result == 0 && (reply.type != REDIS_STATUS || strcmp(reply.text, "PONG") != 0))
        result = redis_refused(&redis, "PING", &reply, why);
    redis_close(&redis);
    return result;
}

static int ask_memcached(const struct ready_query *query, int64_t deadline_ms, struct fault *why)
{
    const struct login login = { .url = query->url,
                                 .password_file = query->password_file,
                                 .deadline_ms = deadline_ms };
    struct memcached memcached;
    char line[MEMCACHED_LINE_MAX];

    if (memcached_open(&memcached, &login, why) < 0)
        return -1;
    int result = memcached_call(&memcached, "version", line, sizeof line, why);
    if (result == 0 && strncmp(line, "VERSION ", 8) != 0)
        result = fault_set(why, "this is no memcached: it answered \"%.40s\"", line);
    memcached_close(&memcached);
    return result;
}

static const struct asker askers[] = {
    { "tcp", ask_stream },
    { "unix", ask_stream },
    { "file", ask_file },
    { "http", ask_http },
    { "http+unix", ask_http },
    { "postgres", ask_postgres },
    { "postgresql", ask_postgres },
    { "redis", ask_redis },
    { "redis+unix", ask_redis },
    { "memcached", ask_memcached },
    { "memcached+unix", ask_memcached },
};

static const struct asker *find(const char *scheme)
{
    for (size_t i = 0; i < COUNT(askers); i++)
        if (strcmp(askers[i].scheme, scheme) == 0)
            return &askers[i];
    return NULL;
}

int ready_check(const struct ready_query *query, struct fault *why)
{
    const struct http_query request = { .url = query->url, .text = query->body };
    const struct asker *asker = find(query->url->scheme);
    int64_t database;

    if (!asker)
        return fault_set(why, "%s: can't be asked whether it is ready", query->url->scheme);
    if (asker->ask == ask_http)
        return http_check(&request, why);
    if (query->body || query->status != 0)
        return fault_set(why, "only http has a status and a body, %s has none", query->url->scheme);
    if (asker->ask == ask_redis)
        return redis_database(query->url, &database, why);
    return 0;
}

int ready_ask(const struct ready_query *query, int64_t deadline_ms, struct fault *why)
{
    const struct asker *asker = find(query->url->scheme);

    if (!asker)
        return ready_check(query, why);
    return asker->ask(query, deadline_ms, why);
}
