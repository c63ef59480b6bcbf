/* The listening sockets that freshinit holds for its servers. The only place that makes them. */
#ifndef PROC_LISTEN_H
#define PROC_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/words.h"
#include "plan/plan.h"

enum { LISTEN_MAX = 8, LISTEN_BACKLOG = 2048 };

/* Descriptors in rising order, closed on exec until a child is given them. */
struct listeners {
    int fds[LISTEN_MAX];
    bool is_twin[LISTEN_MAX]; /* has an older socket on its address beside it, see proc/twin.h */
    size_t count;
};

/* Is each word an address: 0.0.0.0:8000, [::]:8000, :8000, localhost:8000, unix:/run/app.sock? */
MUST_USE int listen_check(const struct words *addresses, struct fault *why);

/* A unix socket is given to `user`. A stale socket file is removed only when no one lives behind
 * it. */
MUST_USE int listen_open(const struct words *addresses, const struct identity *user,
                         struct listeners *out, struct fault *why);

/* Of an address of either family; 0 for any other kind. */
uint16_t listen_port(const struct sockaddr_storage *address);

/* Is one of them a port that only root, or who has the capability, may bind? */
bool listen_has_low_port(const struct listeners *listeners);

#endif
