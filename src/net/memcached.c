/* Owns memcached's text protocol. Takes one line at a time, never trusts a length, never waits
 * longer than the wire's deadline. */
#include "net/memcached.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "net/dial.h"

enum { COMMAND_MAX = 512, SHOWN_MAX = 200, STATS_LINES_MAX = 1000 };

/* The wire does not know whom it speaks to. */
static int lost(const struct memcached *memcached, const struct fault *inner, struct fault *why)
{
    return fault_set(why, "%s: %s", memcached->name, fault_line(inner, 0));
}

static int send_text(struct memcached *memcached, const char *text, struct fault *why)
{
    struct fault inner;

    fault_clear(&inner);
    if (wire_send(&memcached->wire, text, strlen(text), &inner) < 0)
        return lost(memcached, &inner, why);
    return 0;
}

static bool begins(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

/* What is neither expected nor an error that memcached has is something else that listens there. */
static int refused(const struct memcached *memcached, const char *command, const char *line,
                   struct fault *why)
{
    const char *advice = "";

    if (begins(line, "CLIENT_ERROR unauthenticated"))
        advice = ": give it password_file = with user:password";
    else if (begins(line, "CLIENT_ERROR flush_all not allowed"))
        advice = ": it was started with -F; use keys of the release";
    else if (!begins(line, "CLIENT_ERROR") && !begins(line, "SERVER_ERROR") &&
             strcmp(line, "ERROR") != 0)
        return fault_set(why, "%s: is this memcached? It answered \"%.*s\"", memcached->name,
                         SHOWN_MAX, line);
    return fault_set(why, "%s: %.*s refused: %.*s%s", memcached->name, (int)strcspn(command, " \r"),
                     command, SHOWN_MAX, line, advice);
}

static int read_line(struct memcached *memcached, char *line, size_t line_size, struct fault *why)
{
    struct fault inner;

    fault_clear(&inner);
    if (wire_line(&memcached->wire, line, line_size, &inner) < 0)
        return lost(memcached, &inner, why);
    return 0;
}

/* 1 for the line `yes`, 0 for the line `no` (NULL: there is none). */
static int read_verdict(struct memcached *memcached, const char *command, const char *const *words,
                        struct fault *why)
{
    char line[MEMCACHED_LINE_MAX];

    if (read_line(memcached, line, sizeof line, why) < 0)
        return -1;
    for (int i = 0; i < 2; i++)
        if (words[i] && strcmp(line, words[i]) == 0)
            return i == 0;
    return refused(memcached, command, line, why);
}

int memcached_call(struct memcached *memcached, const char *command, char *line, size_t line_size,
                   struct fault *why)
{
    char text[COMMAND_MAX];

    snprintf(text, sizeof text, "%s\r\n", command);
    if (send_text(memcached, text, why) < 0 || read_line(memcached, line, line_size, why) < 0)
        return -1;
    if (begins(line, "ERROR") || begins(line, "CLIENT_ERROR") || begins(line, "SERVER_ERROR"))
        return refused(memcached, command, line, why);
    return 0;
}

/* "STAT curr_items 12": the number, where it is the one looked for. */
static void take_stat(const char *line, const char *name, int64_t *out)
{
    struct fault inner;
    size_t length = strlen(name);

    fault_clear(&inner);
    if (begins(line, "STAT ") && begins(line + 5, name) && line[5 + length] == ' ' &&
        text_number(line + 6 + length, 0, INT64_MAX, out, &inner) < 0)
        *out = -1;
}

int memcached_stats(struct memcached *memcached, struct memcached_stats *out, struct fault *why)
{
    char line[MEMCACHED_LINE_MAX];

    *out = (struct memcached_stats){ -1, -1, -1, -1 };
    if (send_text(memcached, "stats\r\n", why) < 0)
        return -1;
    for (int i = 0; i < STATS_LINES_MAX; i++) {
        if (read_line(memcached, line, sizeof line, why) < 0)
            return -1;
        if (strcmp(line, "END") == 0)
            return 0;
        if (!begins(line, "STAT "))
            return refused(memcached, "stats", line, why);
        take_stat(line, "curr_items", &out->items);
        take_stat(line, "bytes", &out->bytes);
        take_stat(line, "uptime", &out->uptime_s);
        take_stat(line, "evictions", &out->evictions);
    }
    return fault_set(why, "%s: is this memcached? Its stats have no end", memcached->name);
}

/* "VALUE key flags size", then the bytes, then END. */
static int read_value(struct memcached *memcached, const char *head, char *out, size_t out_size,
                      struct fault *why)
{
    char end[MEMCACHED_LINE_MAX];
    struct fault inner;
    int64_t size = 0;
    const char *number = strrchr(head, ' ');

    fault_clear(&inner);
    if (!number || text_number(number + 1, 0, (int64_t)out_size - 1, &size, &inner) < 0)
        return fault_set(why, "%s: an answer of unexpected size: \"%.*s\"", memcached->name,
                         SHOWN_MAX, head);
    if (wire_bytes(&memcached->wire, out, (size_t)size, &inner) < 0)
        return lost(memcached, &inner, why);
    out[size] = '\0';
    if (read_line(memcached, end, sizeof end, why) < 0)
        return -1;
    if (end[0] == '\0' && read_line(memcached, end, sizeof end, why) < 0)
        return -1;
    return strcmp(end, "END") == 0 ? 1 : refused(memcached, "get", end, why);
}

int memcached_get(struct memcached *memcached, const char *key, char *out, size_t out_size,
                  struct fault *why)
{
    char command[COMMAND_MAX];
    char line[MEMCACHED_LINE_MAX];

    snprintf(command, sizeof command, "get %s", key);
    if (memcached_call(memcached, command, line, sizeof line, why) < 0)
        return -1;
    if (begins(line, "VALUE "))
        return read_value(memcached, line, out, out_size, why);
    out[0] = '\0';
    return strcmp(line, "END") == 0 ? 0 : refused(memcached, "get", line, why);
}

/* Verb and item as one text, so that they travel in one packet. */
static int put_item(char *out, size_t out_size, const char *verb, const struct memcached_item *item)
{
    return snprintf(out, out_size, "%s %s 0 %" PRId64 " %zu\r\n%s\r\n", verb, item->key,
                    item->expires_s, strlen(item->value), item->value);
}

static int store(struct memcached *memcached, const char *verb, const struct memcached_item *item,
                 struct fault *why)
{
    static const char *const words[2] = { "STORED", "NOT_STORED" };
    char text[COMMAND_MAX + MEMCACHED_VALUE_MAX];

    if (put_item(text, sizeof text, verb, item) >= (int)sizeof text)
        return fault_set(why, "%s: %s: the value is too long", memcached->name, verb);
    if (send_text(memcached, text, why) < 0)
        return -1;
    return read_verdict(memcached, verb, words, why);
}

int memcached_set(struct memcached *memcached, const struct memcached_item *item, struct fault *why)
{
    return store(memcached, "set", item, why);
}

int memcached_add(struct memcached *memcached, const struct memcached_item *item, struct fault *why)
{
    return store(memcached, "add", item, why);
}

int memcached_delete(struct memcached *memcached, const char *key, struct fault *why)
{
    static const char *const words[2] = { "DELETED", "NOT_FOUND" };
    char text[COMMAND_MAX];

    snprintf(text, sizeof text, "delete %s\r\n", key);
    if (send_text(memcached, text, why) < 0)
        return -1;
    return read_verdict(memcached, "delete", words, why) < 0 ? -1 : 0;
}

int memcached_flush(struct memcached *memcached, const struct memcached_item *item,
                    struct fault *why)
{
    static const char *const flushed[2] = { "OK", NULL };
    static const char *const stored[2] = { "STORED", NULL };
    char text[COMMAND_MAX + MEMCACHED_VALUE_MAX] = "flush_all\r\n";
    size_t length = strlen(text);

    if (item &&
        put_item(text + length, sizeof text - length, "set", item) >= (int)(sizeof text - length))
        return fault_set(why, "%s: set: the value is too long", memcached->name);
    if (send_text(memcached, text, why) < 0)
        return -1;
    bool is_flushed = read_verdict(memcached, "flush_all", flushed, why) >= 0;
    if (!item)
        return is_flushed ? 0 : -1;
    struct fault unneeded;
    fault_clear(&unneeded);
    bool is_stored = read_verdict(memcached, "set", stored, is_flushed ? why : &unneeded) >= 0;
    /* A server that refuses to flush has stored the item all the same. */
    if (is_stored && !is_flushed && memcached_delete(memcached, item->key, &unneeded) < 0)
        return -1;
    return is_flushed && is_stored ? 0 : -1;
}

/* The first command of a connection may be a set whose data is "user password". */
static int log_in(struct memcached *memcached, const struct login *login, struct fault *why)
{
    char secret[LOGIN_SECRET_SIZE];
    char pair[LOGIN_SECRET_SIZE + URL_PART_MAX];

    if (login_secret(login, secret, sizeof secret, why) < 0)
        return -1;
    if (secret[0] == '\0')
        return 0;
    char *colon = strchr(secret, ':');
    if (login->url->user[0] != '\0')
        snprintf(pair, sizeof pair, "%s %s", login->url->user, secret);
    else if (colon)
        snprintf(pair, sizeof pair, "%.*s %s", (int)(colon - secret), secret, colon + 1);
    else
        return fault_set(why, "%s: a password without a user: write user:password",
                         memcached->name);
    const struct memcached_item item = { .key = "freshinit", .value = pair };
    return memcached_set(memcached, &item, why) < 0 ? -1 : 0;
}

int memcached_open(struct memcached *memcached, const struct login *login, struct fault *why)
{
    struct fault inner;

    login_name(login->url, memcached->name, sizeof memcached->name);
    fault_clear(&inner);
    int fd = dial_url(login->url, login->deadline_ms, &inner);
    if (fd < 0)
        return lost(memcached, &inner, why);
    wire_open(&memcached->wire, fd, login->deadline_ms);
    if (log_in(memcached, login, why) == 0)
        return 0;
    memcached_close(memcached);
    return -1;
}

void memcached_close(struct memcached *memcached)
{
    wire_close(&memcached->wire);
}
