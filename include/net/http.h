/*
 * One HTTP/1.1 request and what matters of its answer. The URL is http://host:port/path?query or,
 * over a unix socket, http+unix:///run/app.sock?path=/healthz. Redirects are not followed.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/url.h"
#include "net/wire.h"

enum { HTTP_HEADERS_MAX = 4, HTTP_VALUE_SIZE = 512, HTTP_BODY_SIZE = 1024, HTTP_TEXT_MAX = 512 };

struct http_query {
    const struct url *url;
    int64_t deadline_ms;
    const char *text;                      /* looked for in the body; NULL: nothing */
    const char *headers[HTTP_HEADERS_MAX]; /* names of those that are wanted, then NULL */
};

struct http_answer {
    int status;
    char values[HTTP_HEADERS_MAX][HTTP_VALUE_SIZE]; /* of query.headers; "" where there was none */
    bool has_text;                                  /* query.text was in the body */
    char body[HTTP_BODY_SIZE];                      /* its begin, as text with an end */
    size_t body_size;
};

/* Faults in the URL or the text that no server could mend. Opens nothing. */
MUST_USE int http_check(const struct http_query *query, struct fault *why);

/* Any status is an answer. A body that ends early is none the less one, but one that is still
 * awaited at the deadline is a fault. Reads no more of the body than it needs. A value that comes
 * several times is joined by ", "; what does not fit is cut. */
MUST_USE int http_request(const struct http_query *query, struct http_answer *out,
                          struct fault *why);

/* The request alone, but for the empty line that ends it: "\r\n". */
MUST_USE int http_begin(struct wire *wire, const struct http_query *query, struct fault *why);

/* The answer alone, from a connection where the request was sent. */
MUST_USE int http_receive(struct wire *wire, const struct http_query *query,
                          struct http_answer *out, struct fault *why);

#endif
