/* Owns HTTP: one request, one answer, one connection. Never follows a redirect, never allocates. */
#include "net/http.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/dial.h"

enum { LINE_SIZE = 2048, LINES_MAX = 256, INTERIM_MAX = 8 };

/* What is known of the answer while it comes in. */
struct reader {
    struct wire *wire;
    const struct http_query *query;
    struct http_answer *out;
    bool is_chunked;
    bool has_length;
    uint64_t length;
    char window[HTTP_TEXT_MAX + 1024]; /* the end of the body so far, where text may lie across */
    size_t window_used;
};

static int read_target(const struct url *url, char *out, size_t out_size, struct fault *why)
{
    const char *path = url->path[0] != '\0' ? url->path : "/";
    int length;

    if (strcmp(url->scheme, "http+unix") != 0)
        length = snprintf(out, out_size, "%s%s%s", path, url->query[0] ? "?" : "", url->query);
    else if (url_query(url, "path", out, out_size))
        length = (int)strlen(out);
    else
        length = snprintf(out, out_size, "/");
    if (length < 0 || (size_t)length >= out_size)
        return fault_set(why, "the URL's path is too long");
    if (out[0] != '/')
        return fault_set(why, "the path in an HTTP URL begins with /");
    for (const char *next = out; *next; next++)
        if ((unsigned char)*next <= ' ' || *next == 0x7f)
            return fault_set(why, "the URL's path has a blank in it: write it as %%20");
    return 0;
}

static int read_host(const struct url *url, char *out, size_t out_size, struct fault *why)
{
    bool is_ipv6 = strchr(url->host, ':') != NULL;

    for (const char *next = url->host; *next; next++)
        if ((unsigned char)*next <= ' ' || *next == 0x7f)
            return fault_set(why, "the URL's host has a blank in it");
    if (url->host[0] == '\0')
        snprintf(out, out_size, "localhost");
    else if (url->port == 80)
        snprintf(out, out_size, is_ipv6 ? "[%s]" : "%s", url->host);
    else
        snprintf(out, out_size, is_ipv6 ? "[%s]:%u" : "%s:%u", url->host, (unsigned)url->port);
    return 0;
}

static void encode_base64(const char *text, char *out)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t left = strlen(text);

    for (; left > 0; left -= left < 3 ? left : 3, text += 3) {
        unsigned char in[3] = { 0 };
        memcpy(in, text, left < 3 ? left : 3);
        *out++ = letters[in[0] >> 2];
        *out++ = letters[(in[0] & 3) << 4 | in[1] >> 4];
        *out++ = left > 1 ? letters[(in[1] & 15) << 2 | in[2] >> 6] : '=';
        *out++ = left > 2 ? letters[in[2] & 63] : '=';
        if (left <= 3)
            break;
    }
    *out = '\0';
}

/* "Authorization: ..." as a whole line, or nothing where the URL has no user. */
static void write_login(const struct url *url, char *out, size_t out_size)
{
    char plain[2 * URL_PART_MAX];
    char coded[sizeof plain / 3 * 4 + 8];

    out[0] = '\0';
    if (url->user[0] == '\0' && url->password[0] == '\0')
        return;
    snprintf(plain, sizeof plain, "%s:%s", url->user, url->password);
    encode_base64(plain, coded);
    snprintf(out, out_size, "Authorization: Basic %s\r\n", coded);
}

static int check_text(const struct http_query *query, struct fault *why)
{
    if (query->text && strlen(query->text) > HTTP_TEXT_MAX)
        return fault_set(why, "the text to look for is longer than %d bytes", HTTP_TEXT_MAX);
    return 0;
}

int http_check(const struct http_query *query, struct fault *why)
{
    char target[URL_TEXT_MAX + URL_PART_MAX];
    char host[URL_PART_MAX + 16];

    if (read_target(query->url, target, sizeof target, why) < 0 ||
        read_host(query->url, host, sizeof host, why) < 0)
        return -1;
    return check_text(query, why);
}

/* The request up to `end`, which is empty where its last line is to wait. */
static int send_request(struct wire *wire, const struct http_query *query, const char *end,
                        struct fault *why)
{
    char target[URL_TEXT_MAX + URL_PART_MAX];
    char host[URL_PART_MAX + 16];
    char login[URL_PART_MAX * 3];
    char request[sizeof target + sizeof host + sizeof login + 128];

    if (read_target(query->url, target, sizeof target, why) < 0 ||
        read_host(query->url, host, sizeof host, why) < 0)
        return -1;
    write_login(query->url, login, sizeof login);
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: %s\r\n%sUser-Agent: freshinit\r\n"
                          "Accept: */*\r\nConnection: close\r\n%s",
                          target, host, login, end);
    if (length < 0 || (size_t)length >= sizeof request)
        return fault_set(why, "the request is too long");
    return wire_send(wire, request, (size_t)length, why);
}

/* 1 with the next line, cut where it is too long; 0 at the end of the stream. */
static int next_line(struct wire *wire, char *out, struct fault *why)
{
    size_t length = 0;

    for (;;) {
        char next;
        ssize_t got = wire_some(wire, &next, 1, why);
        if (got <= 0)
            return (int)got;
        if (next == '\n')
            break;
        if (length + 1 < LINE_SIZE)
            out[length++] = next ? next : '?';
    }
    if (length > 0 && out[length - 1] == '\r')
        length--;
    out[length] = '\0';
    return 1;
}

static int read_status(struct reader *reader, struct fault *why)
{
    char line[LINE_SIZE];
    int got = next_line(reader->wire, line, why);

    if (got < 0)
        return -1;
    if (got == 0)
        return fault_set(why, "the connection was closed before an answer came");
    const char *code = strncmp(line, "HTTP/1.", 7) == 0 ? strchr(line, ' ') : NULL;
    if (!code || code[1] < '1' || code[1] > '9' || !isdigit((unsigned char)code[2]) ||
        !isdigit((unsigned char)code[3]) || isdigit((unsigned char)code[4]))
        return fault_set(why, "this is no HTTP server: it answered \"%.40s\"", line);
    reader->out->status = (code[1] - '0') * 100 + (code[2] - '0') * 10 + (code[3] - '0');
    return 0;
}

static void keep_value(char *kept, const char *value)
{
    size_t used = strlen(kept);

    snprintf(kept + used, HTTP_VALUE_SIZE - used, "%s%s", used > 0 ? ", " : "", value);
}

static int take_length(struct reader *reader, const char *value, struct fault *why)
{
    uint64_t length = 0;

    for (const char *next = value; *next; next++) {
        if (!isdigit((unsigned char)*next) || length > UINT64_MAX / 16)
            return fault_set(why, "the answer's Content-Length is \"%.40s\"", value);
        length = length * 10 + (uint64_t)(*next - '0');
    }
    reader->length = length;
    reader->has_length = *value != '\0';
    return 0;
}

static int take_header(struct reader *reader, char *line, struct fault *why)
{
    char *value = strchr(line, ':');

    if (!value)
        return fault_set(why, "a broken line in the answer's head: \"%.40s\"", line);
    *value++ = '\0';
    value += strspn(value, " \t");
    for (size_t end = strlen(value); end > 0 && strchr(" \t", value[end - 1]); end--)
        value[end - 1] = '\0';
    for (size_t i = 0; i < HTTP_HEADERS_MAX && reader->query->headers[i]; i++)
        if (strcasecmp(line, reader->query->headers[i]) == 0)
            keep_value(reader->out->values[i], value);
    if (strcasecmp(line, "Transfer-Encoding") == 0)
        reader->is_chunked = strcasestr(value, "chunked") != NULL;
    if (strcasecmp(line, "Content-Length") == 0)
        return take_length(reader, value, why);
    return 0;
}

static int read_head(struct reader *reader, struct fault *why)
{
    char line[LINE_SIZE];

    if (read_status(reader, why) < 0)
        return -1;
    for (int i = 0; i < LINES_MAX; i++) {
        int got = next_line(reader->wire, line, why);
        if (got < 0)
            return -1;
        if (got == 0)
            return fault_set(why, "the connection was closed in the middle of the answer's head");
        if (line[0] == '\0')
            return 0;
        if (take_header(reader, line, why) < 0)
            return -1;
    }
    return fault_set(why, "the answer's head has more than %d lines", LINES_MAX);
}

static void look_for_text(struct reader *reader, const char *data, size_t size)
{
    const char *text = reader->query->text;
    size_t text_size = strlen(text);

    memcpy(reader->window + reader->window_used, data, size);
    reader->window_used += size;
    if (memmem(reader->window, reader->window_used, text, text_size))
        reader->out->has_text = true;
    size_t kept = text_size > 0 ? text_size - 1 : 0;
    if (reader->window_used <= kept)
        return;
    memmove(reader->window, reader->window + reader->window_used - kept, kept);
    reader->window_used = kept;
}

static void take_body(struct reader *reader, const char *data, size_t size)
{
    struct http_answer *out = reader->out;
    size_t room = sizeof out->body - 1 - out->body_size;
    size_t kept = size < room ? size : room;

    memcpy(out->body + out->body_size, data, kept);
    out->body_size += kept;
    out->body[out->body_size] = '\0';
    if (reader->query->text && !out->has_text)
        look_for_text(reader, data, size);
}

static bool has_enough(const struct reader *reader)
{
    bool is_full = reader->out->body_size == sizeof reader->out->body - 1;

    return reader->query->text ? reader->out->has_text : is_full;
}

/* 1 when the stream goes on after `size` bytes, 0 when it ended or enough is known. */
static int read_part(struct reader *reader, uint64_t size, struct fault *why)
{
    while (size > 0) {
        char part[1024];
        size_t wanted = size < sizeof part ? (size_t)size : sizeof part;
        ssize_t got = wire_some(reader->wire, part, wanted, why);
        if (got <= 0)
            return (int)got;
        take_body(reader, part, (size_t)got);
        if (has_enough(reader))
            return 0;
        size -= (uint64_t)got;
    }
    return 1;
}

static int read_chunks(struct reader *reader, struct fault *why)
{
    char line[LINE_SIZE];

    for (;;) {
        int got = next_line(reader->wire, line, why);
        if (got <= 0)
            return got;
        char *end;
        unsigned long long size = strtoull(line, &end, 16);
        if (end == line || end > line + 15 || !isxdigit((unsigned char)line[0]))
            return fault_set(why, "a broken chunk in the answer: \"%.40s\"", line);
        if (size == 0)
            return 0;
        got = read_part(reader, size, why);
        if (got <= 0)
            return got;
        got = next_line(reader->wire, line, why);
        if (got <= 0)
            return got;
        if (line[0] != '\0')
            return fault_set(why, "a chunk of the answer is longer than it said");
    }
}

int http_begin(struct wire *wire, const struct http_query *query, struct fault *why)
{
    return send_request(wire, query, "", why);
}

int http_receive(struct wire *wire, const struct http_query *query, struct http_answer *out,
                 struct fault *why)
{
    struct reader reader = { .wire = wire, .query = query, .out = out };

    if (check_text(query, why) < 0)
        return -1;
    /* 100 Continue and 103 Early Hints come before the answer. */
    for (int i = 0; i < INTERIM_MAX; i++) {
        memset(out, 0, sizeof *out);
        reader.is_chunked = reader.has_length = false;
        if (read_head(&reader, why) < 0)
            return -1;
        if (out->status >= 200)
            break;
    }
    if (out->status < 200)
        return fault_set(why, "only interim answers came, the last one %d", out->status);
    out->has_text = query->text && query->text[0] == '\0';
    bool has_no_body = out->status == 204 || out->status == 304;
    if (has_no_body || has_enough(&reader))
        return 0;
    if (reader.is_chunked)
        return read_chunks(&reader, why);
    return read_part(&reader, reader.has_length ? reader.length : UINT64_MAX, why) < 0 ? -1 : 0;
}

int http_request(const struct http_query *query, struct http_answer *out, struct fault *why)
{
    struct wire wire;
    int fd = dial_url(query->url, query->deadline_ms, why);

    if (fd < 0)
        return -1;
    wire_open(&wire, fd, query->deadline_ms);
    int result = send_request(&wire, query, "\r\n", why);
    if (result == 0)
        result = http_receive(&wire, query, out, why);
    wire_close(&wire);
    return result;
}
