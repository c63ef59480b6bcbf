/*
 * A second socket on each address, for the server of the next generation. While both are there the
 * kernel is told which of the two a new connection goes to, so that the old server has nothing in
 * hand when it is told to stop: uvicorn and hypercorn close what they have accepted and not yet
 * read. Where there can be no twin (a unix socket, a low port without the right to it) both
 * generations have the same socket.
 */
#ifndef PROC_TWIN_H
#define PROC_TWIN_H

#include "base/attr.h"
#include "base/fault.h"
#include "proc/listen.h"

/* The twins listen, but no connection goes to them yet. */
MUST_USE int twin_open(struct listeners *now, struct listeners *out, struct fault *why);

/* What this socket connects to is the twins, all others go where they went: so a probe reaches the
 * new server before anyone else does. It is given a port, by which the kernel knows it. */
void twin_admit(const struct listeners *twins, int caller, int family);

/* From now on every connection goes to the twins. */
void twin_take_over(const struct listeners *twins);

/* Ends those whose server is no more; `left` has the addresses for itself again. */
void twin_close(struct listeners *gone, struct listeners *left);

#endif
