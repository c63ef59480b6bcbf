/*
 * The socket of systemd's protocol on which a server says READY=1. Nobody reads it after that: it
 * is closed, so that a server that goes on talking talks to no one and never waits.
 */
#ifndef PROC_NOTIFY_H
#define PROC_NOTIFY_H

#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/fault.h"

enum { NOTIFY_NAME_SIZE = 32 };

/* fd 0: there is none. */
struct notify {
    int fd;
    char name[NOTIFY_NAME_SIZE]; /* for NOTIFY_SOCKET, "@1a2b3"; "" for none */
};

MUST_USE int notify_open(struct notify *out, struct fault *why);
void notify_close(struct notify *notify);

/* Waits until a process of this group, or a descendant of its leader, says READY=1. */
MUST_USE int notify_await(const struct notify *notify, pid_t group, int64_t deadline_ms,
                          struct fault *why);

#endif
