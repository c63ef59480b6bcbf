/* A connected stream socket before a deadline, and whole lines and bytes over it. */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/url.h"

/* Every address of the host's is tried, until the deadline (of clock_ms), but the look-up of a name
 * may outlast it where DNS is silent. The socket is non-blocking and closed on exec. Returns it, or
 * -1. */
MUST_USE int dial_unix(const char *path, int64_t deadline_ms, struct fault *why);

/* Lives anyone behind the socket's path? 0: it took a connection, EAGAIN: its queue is full;
 * ECONNREFUSED: no one; else the errno that kept us from asking. Never waits. */
MUST_USE int dial_unix_state(const char *path);

/* dial_unix for x+unix: and unix: URLs, else over TCP. */
MUST_USE int dial_url(const struct url *url, int64_t deadline_ms, struct fault *why);

/* The same, and `before` has each socket before it connects. */
struct dial_hook {
    void (*before)(int fd, int family, const void *context);
    const void *context;
};
MUST_USE int dial_hooked(const struct url *url, const struct dial_hook *hook, int64_t deadline_ms,
                         struct fault *why);

#endif
