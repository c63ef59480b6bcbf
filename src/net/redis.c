/* Owns RESP2. Takes one reply at a time into the caller's buffer, never trusts a length, never
 * waits longer than the wire's deadline. */
#include "net/redis.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "net/dial.h"

/* What redis itself allows. */
static const int64_t bulk_max = 512LL * 1024 * 1024;
enum { ARRAY_MAX = 1024 * 1024, DATABASE_MAX = 65535, SHOWN_MAX = 200 };

int redis_database(const struct url *url, int64_t *out, struct fault *why)
{
    char number[16] = "";
    struct fault inner;

    fault_clear(&inner);
    if (strchr(url->scheme, '+')) {
        if (!url_query(url, "db", number, sizeof number))
            number[0] = '\0';
    } else if (strlen(url->path) > 1) {
        snprintf(number, sizeof number, "%s", url->path + 1);
    }
    *out = 0;
    if (number[0] != '\0' && text_number(number, 0, DATABASE_MAX, out, &inner) < 0)
        return fault_set(why, "\"%s\" is no redis database: write a number, like redis://host/1",
                         number);
    return 0;
}

/* The wire does not know whom it speaks to. */
static int lost(const struct redis *redis, const struct fault *inner, struct fault *why)
{
    return fault_set(why, "%s: %s", redis->name, fault_line(inner, 0));
}

static int send_pending(struct redis *redis, struct fault *why)
{
    struct fault inner;

    fault_clear(&inner);
    if (wire_send(&redis->wire, redis->send, redis->pending, &inner) < 0)
        return lost(redis, &inner, why);
    redis->pending = 0;
    return 0;
}

static int put(struct redis *redis, const void *data, size_t size, struct fault *why)
{
    const char *next = data;

    while (size > 0) {
        size_t room = sizeof redis->send - redis->pending;
        size_t part = size < room ? size : room;
        memcpy(redis->send + redis->pending, next, part);
        redis->pending += part;
        next += part;
        size -= part;
        if (redis->pending == sizeof redis->send && send_pending(redis, why) < 0)
            return -1;
    }
    return 0;
}

static int put_head(struct redis *redis, char type, size_t number, struct fault *why)
{
    char head[32];
    int length = snprintf(head, sizeof head, "%c%zu\r\n", type, number);

    return put(redis, head, (size_t)length, why);
}

int redis_send_count(struct redis *redis, size_t count, struct fault *why)
{
    return put_head(redis, '*', count, why);
}

int redis_send_word(struct redis *redis, const void *data, size_t size, struct fault *why)
{
    if (put_head(redis, '$', size, why) < 0 || put(redis, data, size, why) < 0)
        return -1;
    return put(redis, "\r\n", 2, why);
}

int redis_send(struct redis *redis, const char *const *words, struct fault *why)
{
    size_t count = 0;

    while (words[count])
        count++;
    if (redis_send_count(redis, count, why) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (redis_send_word(redis, words[i], strlen(words[i]), why) < 0)
            return -1;
    return 0;
}

static int garbage(const struct redis *redis, const char *line, struct fault *why)
{
    return fault_set(why, "%s: is this redis? It answered \"%.*s\"", redis->name, SHOWN_MAX, line);
}

/* A bulk's bytes and the line end after them; what does not fit into `reply` is dropped. */
static int read_bulk(struct redis *redis, struct redis_reply *reply, struct fault *why)
{
    struct fault inner;
    char end[2];
    size_t kept = reply->length;

    if (kept > sizeof reply->text - 1)
        kept = sizeof reply->text - 1;
    fault_clear(&inner);
    if (wire_bytes(&redis->wire, reply->text, kept, &inner) < 0 ||
        wire_skip(&redis->wire, reply->length - kept, &inner) < 0 ||
        wire_bytes(&redis->wire, end, sizeof end, &inner) < 0)
        return lost(redis, &inner, why);
    reply->text[kept] = '\0';
    if (memcmp(end, "\r\n", sizeof end) != 0)
        return fault_set(why, "%s: is this redis? A text has no end", redis->name);
    return 0;
}

/* The number after a type character. */
static int read_number(const struct redis *redis, const char *line, int64_t *out, struct fault *why)
{
    const int64_t most = line[0] == '$' ? bulk_max : line[0] == '*' ? ARRAY_MAX : INT64_MAX;
    const int64_t least = line[0] == ':' ? INT64_MIN : -1;
    bool is_negative = line[1] == '-';
    struct fault inner;

    fault_clear(&inner);
    if (text_number(line + 1 + is_negative, 0, most, out, &inner) < 0)
        return garbage(redis, line, why);
    if (is_negative)
        *out = -*out;
    return *out < least ? garbage(redis, line, why) : 0;
}

int redis_read(struct redis *redis, struct redis_reply *reply, struct fault *why)
{
    struct fault inner;

    if (redis->pending > 0 && send_pending(redis, why) < 0)
        return -1;
    fault_clear(&inner);
    if (wire_line(&redis->wire, reply->text, sizeof reply->text, &inner) < 0)
        return lost(redis, &inner, why);
    char type = reply->text[0];
    reply->number = 0;
    if (type == '+' || type == '-') {
        reply->type = type == '+' ? REDIS_STATUS : REDIS_ERROR;
        reply->length = strlen(reply->text) - 1;
        memmove(reply->text, reply->text + 1, reply->length + 1);
        return 0;
    }
    if (type == '\0' || !strchr(":$*", type))
        return garbage(redis, reply->text, why);
    if (read_number(redis, reply->text, &reply->number, why) < 0)
        return -1;
    reply->length = 0;
    reply->text[0] = '\0';
    if (type == ':')
        reply->type = REDIS_NUMBER;
    else if (reply->number < 0)
        reply->type = REDIS_NIL;
    else
        reply->type = type == '$' ? REDIS_BULK : REDIS_ARRAY;
    if (reply->type != REDIS_BULK)
        return 0;
    reply->length = (size_t)reply->number;
    return read_bulk(redis, reply, why);
}

int redis_call(struct redis *redis, const char *const *words, struct redis_reply *reply,
               struct fault *why)
{
    if (redis_send(redis, words, why) < 0)
        return -1;
    return redis_read(redis, reply, why);
}

int redis_refused(const struct redis *redis, const char *command, const struct redis_reply *reply,
                  struct fault *why)
{
    static const struct {
        const char *error;
        const char *advice;
    } known[] = {
        { "NOAUTH", ": give it password_file =" },
        { "WRONGPASS", ": see the user in the URL, and password_file =" },
        { "ERR AUTH", ": this server wants no password" },
        { "NOPERM", ": its ACL must allow that to this user" },
        { "ERR unknown command", ": it is renamed or switched off there" },
        { "MOVED",
          ": it is part of a cluster; name each of its servers, or use keys of the release" },
        { "CROSSSLOT", ": it is part of a cluster; use keys of the release" },
        { "LOADING", ": a stage with wait = redis://... before this one waits for that" },
        { "READONLY", ": it is a replica; name the one it follows" },
        { "DENIED", "" },
    };
    const char *advice = "";

    if (reply->type != REDIS_ERROR)
        return fault_set(why, "%s: %s: an answer that redis does not give", redis->name, command);
    for (size_t i = 0; i < COUNT(known); i++)
        if (strncmp(reply->text, known[i].error, strlen(known[i].error)) == 0)
            advice = known[i].advice;
    return fault_set(why, "%s: %s refused: %.*s%s", redis->name, command, SHOWN_MAX, reply->text,
                     advice);
}

/* A command whose answer is nothing but OK. */
static int expect_ok(struct redis *redis, const char *const *words, struct fault *why)
{
    struct redis_reply reply;

    if (redis_call(redis, words, &reply, why) < 0)
        return -1;
    if (reply.type != REDIS_STATUS || strcmp(reply.text, "OK") != 0)
        return redis_refused(redis, words[0], &reply, why);
    return 0;
}

static int log_in(struct redis *redis, const struct login *login, struct fault *why)
{
    char secret[LOGIN_SECRET_SIZE];
    char number[24];
    int64_t database;

    if (redis_database(login->url, &database, why) < 0 ||
        login_secret(login, secret, sizeof secret, why) < 0)
        return -1;
    const char *user = login->url->user;
    const char *const *words =
        user[0] != '\0' ? REDIS_WORDS("AUTH", user, secret) : REDIS_WORDS("AUTH", secret);
    if (secret[0] != '\0' && expect_ok(redis, words, why) < 0)
        return -1;
    if (database == 0)
        return 0;
    snprintf(number, sizeof number, "%" PRId64, database);
    return expect_ok(redis, REDIS_WORDS("SELECT", number), why);
}

int redis_open(struct redis *redis, const struct login *login, struct fault *why)
{
    struct fault inner;

    login_name(login->url, redis->name, sizeof redis->name);
    redis->pending = 0;
    fault_clear(&inner);
    int fd = dial_url(login->url, login->deadline_ms, &inner);
    if (fd < 0)
        return lost(redis, &inner, why);
    wire_open(&redis->wire, fd, login->deadline_ms);
    if (log_in(redis, login, why) == 0)
        return 0;
    redis_close(redis);
    return -1;
}

void redis_close(struct redis *redis)
{
    wire_close(&redis->wire);
}
