/* Files that a server left behind: unix sockets and pidfiles. Removed only where it is proven that
 * no one lives behind them. */
#ifndef STAGE_STALE_H
#define STAGE_STALE_H

#include "base/attr.h"
#include "base/fault.h"
#include "stage/holder.h"

/*
 * Proof for a socket: it is one, it refuses connections, and no process that we see has it bound.
 * One that lives is settled as a port is (kill = yes), and what it leaves is removed.
 */
MUST_USE int stale_socket(struct holding *holding, struct fault *why);

/*
 * Proof for a pidfile: it names no process of this PID namespace, or freshinit, this stage, or what
 * started freshinit; or one that began after the file was last changed and is not the server's
 * program. A pidfile alone never gets anyone ended, with kill = yes or without.
 */
MUST_USE int stale_pidfile(struct holding *holding, struct fault *why);

#endif
