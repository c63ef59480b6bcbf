/*
 * Does a postgres server take sessions? As pg_isready asks: by the start-up packet, without a
 * password. The port alone opens long before recovery is done.
 */
#ifndef NET_POSTGRES_H
#define NET_POSTGRES_H

#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/url.h"
#include "net/wire.h"

/*
 * 0 when it does: it asked for a password, let us in, or refused this user for a reason of its own.
 * Not ready is what passes by itself: SQLSTATE 57xxx (starting up, shutting down, recovery), 53xxx
 * (no free connection) and, where the URL names a database, 3D000 (not created yet; it shows only
 * where no password is asked for). Without a user in the URL it asks as "postgres".
 */
MUST_USE int postgres_ready(const struct url *url, int64_t deadline_ms, struct fault *why);

/* The answers alone, after the start-up packet. `database` is NULL where none was named. */
MUST_USE int postgres_receive(struct wire *wire, const char *database, struct fault *why);

#endif
