/* Is a service ready, asked once, in its own protocol. */
#ifndef NET_READY_H
#define NET_READY_H

#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/url.h"

struct ready_query {
    const struct url *url;
    const char *password_file; /* redis and memcached; NULL: the URL's user and password */
    const char *body;          /* http: text that the answer must contain, or NULL */
    int64_t status;            /* http: the status that it must have; 0: any of 200 to 399 */
};

/*
 * What no server could mend: a scheme that can't be asked, body or status without http. Schemes:
 * tcp unix  it accepts a connection
 * http      it answers with the right status and body (also http+unix)
 * file      the path exists
 * postgres  it takes sessions, see net/postgres.h (also postgresql)
 * redis     it answers PING after a login, so it is not still LOADING (also redis+unix)
 * memcached it says its version (also memcached+unix)
 */
MUST_USE int ready_check(const struct ready_query *query, struct fault *why);

/* 0 when it is; else -1 with one line that says why not. */
MUST_USE int ready_ask(const struct ready_query *query, int64_t deadline_ms, struct fault *why);

#endif
