/*
 * URLs: to their parts, and to a form that may be printed.
 */
#include "base/url.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    uint16_t port;
    bool has_path_only; /* what follows is a path on this machine */
} schemes[] = {
    { "http", 80, false },       { "redis", 6379, false },      { "memcached", 11211, false },
    { "postgres", 5432, false }, { "postgresql", 5432, false }, { "tcp", 0, false },
    { "unix", 0, true },         { "file", 0, true },           { "pidfile", 0, true },
    { "http+unix", 0, true },    { "redis+unix", 0, true },     { "memcached+unix", 0, true },
};

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Percent-decodes `length` bytes; false when they do not fit or hold a NUL or a broken escape. */
static bool decode(const char *text, size_t length, char *out, size_t out_size)
{
    size_t used = 0;

    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 1 < length ? hex_value(text[i + 1]) : -1;
            int low = i + 2 < length ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0' || used + 1 >= out_size)
            return false;
        out[used++] = c;
    }
    out[used] = '\0';
    return true;
}

/* The scheme's row; the text after its colon in `rest`. */
static int find_scheme(const char *text, struct url *out, const char **rest, struct fault *why)
{
    size_t length = strcspn(text, ":");

    if (text[length] != ':' || length == 0 || length >= sizeof out->scheme)
        return fault_set(why, "\"%.*s\" is no URL: write it like tcp://host:port",
                         length < 20 ? (int)length : 20, text);
    out->scheme[length] = '\0';
    for (size_t i = 0; i < length; i++)
        out->scheme[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
    *rest = text + length + 1;
    if (strcmp(out->scheme, "https") == 0 || strcmp(out->scheme, "rediss") == 0)
        return fault_set(why, "%s:// needs TLS, and there is no TLS inside freshinit", out->scheme);
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (strcmp(out->scheme, schemes[i].name) == 0)
            return (int)i;
    size_t digits = strspn(*rest, "0123456789");
    if (digits > 0 && ((*rest)[digits] == '\0' || (*rest)[digits] == '/'))
        return fault_set(why, "\"%.100s\" is no URL: write it like tcp://%.100s", text, text);
    return fault_set(why, "%s: is a scheme that freshinit does not know", out->scheme);
}

static int read_port(const char *text, size_t length, struct url *out, struct fault *why)
{
    unsigned port = 0;

    for (size_t i = 0; i < length && port <= 65535; i++)
        port = text[i] >= '0' && text[i] <= '9' ? port * 10 + (unsigned)(text[i] - '0') : 65536;
    if (length == 0 || port == 0 || port > 65535)
        return fault_set(why, "\"%.*s\" is no port", (int)length, text);
    out->port = (uint16_t)port;
    return 0;
}

/* "user:password@host:port", `length` bytes of it. */
static int read_authority(const char *text, size_t length, struct url *out, struct fault *why)
{
    const char *at = memrchr(text, '@', length);
    const char *host = at ? at + 1 : text;
    size_t host_length = length - (size_t)(host - text);
    const char *end = host[0] == '[' ? memchr(host, ']', host_length) : NULL;

    if (at) {
        size_t info = (size_t)(at - text);
        const char *colon = memchr(text, ':', info);
        size_t user = colon ? (size_t)(colon - text) : info;
        if (!decode(text, user, out->user, sizeof out->user) ||
            (colon && !decode(colon + 1, info - user - 1, out->password, sizeof out->password)))
            return fault_set(why, "the user or password of a %s URL is broken or too long",
                             out->scheme);
    }
    const char *colon =
        memrchr(end ? end : host, ':', host_length - (size_t)(end ? end - host : 0));
    if (colon && read_port(colon + 1, (size_t)(host + host_length - colon - 1), out, why) < 0)
        return -1;
    if (colon)
        host_length = (size_t)(colon - host);
    if (end) {
        host++;
        host_length = (size_t)(end - host);
    }
    if (host_length == 0 || !decode(host, host_length, out->host, sizeof out->host))
        return fault_set(why, "a %s URL has no host", out->scheme);
    return 0;
}

int url_parse(const char *text, struct url *out, struct fault *why)
{
    const char *rest = text;

    out->user[0] = out->password[0] = out->host[0] = '\0';
    int scheme = find_scheme(text, out, &rest, why);
    if (scheme < 0)
        return -1;
    out->port = schemes[scheme].port;
    bool has_authority = strncmp(rest, "//", 2) == 0;
    if (has_authority)
        rest += 2;
    if (!schemes[scheme].has_path_only) {
        size_t length = strcspn(rest, "/?");
        if (!has_authority)
            return fault_set(why, "a %s URL begins with %s://", out->scheme, out->scheme);
        if (read_authority(rest, length, out, why) < 0)
            return -1;
        if (out->port == 0)
            return fault_set(why, "a %s URL needs a port: %s://%s:PORT", out->scheme, out->scheme,
                             out->host);
        rest += length;
    } else if (*rest != '/') {
        return fault_set(why, "a %s URL needs an absolute path: %s:///run/NAME", out->scheme,
                         out->scheme);
    }
    size_t path = strcspn(rest, "?");
    const char *query = rest[path] == '?' ? rest + path + 1 : "";
    if (path >= sizeof out->path || strlen(query) >= sizeof out->query)
        return fault_set(why, "a %s URL is too long", out->scheme);
    memcpy(out->path, rest, path);
    out->path[path] = '\0';
    memcpy(out->query, query, strlen(query) + 1);
    return 0;
}

const char *url_public(const struct url *url, char *out, size_t out_size)
{
    bool is_ipv6 = strchr(url->host, ':') != NULL;

    if (url->host[0] == '\0')
        snprintf(out, out_size, "%s:%s", url->scheme, url->path);
    else
        snprintf(out, out_size, "%s://%s%s%s:%u%s", url->scheme, is_ipv6 ? "[" : "", url->host,
                 is_ipv6 ? "]" : "", url->port, url->path);
    return out;
}

bool url_query(const struct url *url, const char *name, char *out, size_t out_size)
{
    size_t name_length = strlen(name);
    const char *next = url->query;

    while (*next != '\0') {
        size_t length = strcspn(next, "&");
        if (length > name_length && strncmp(next, name, name_length) == 0 &&
            next[name_length] == '=')
            return decode(next + name_length + 1, length - name_length - 1, out, out_size);
        next += length;
        if (*next == '&')
            next++;
    }
    return false;
}
