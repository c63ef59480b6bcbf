/* A URL to its parts, and to a form without secrets. */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"

enum { URL_PART_MAX = 256, URL_TEXT_MAX = 1024 };

struct url {
    char scheme[16];         /* "redis", "redis+unix", "file": lower case */
    char user[URL_PART_MAX]; /* percent-decoded, "" when absent, like password */
    char password[URL_PART_MAX];
    char host[URL_PART_MAX]; /* without the brackets of IPv6 */
    uint16_t port;           /* 0: the scheme's own, or none */
    char
        path[URL_TEXT_MAX]; /* with its slash; of x+unix: and unix: the socket; of file: the file */
    char query[URL_PART_MAX]; /* without its question mark */
};

/* Fills in the usual port of http, redis, memcached and postgres. https and rediss are refused:
 * there is no TLS inside. `unix:/run/x.sock` and `unix:///run/x.sock` are the same. */
MUST_USE int url_parse(const char *text, struct url *out, struct fault *why);

/* "redis://cache:6379/1": never a password, nor a user or a query. Returns `out`. */
const char *url_public(const struct url *url, char *out, size_t out_size);

/* The value of NAME in "a=1&NAME=value", percent-decoded into out; false when it is not there. */
bool url_query(const struct url *url, const char *name, char *out, size_t out_size);

#endif
