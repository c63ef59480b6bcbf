/*
 * One connection to a memcached server in its text protocol. Fixed buffers; what the server refuses
 * is one clear line.
 */
#ifndef NET_MEMCACHED_H
#define NET_MEMCACHED_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "net/login.h"
#include "net/wire.h"

enum { MEMCACHED_LINE_MAX = 1024, MEMCACHED_KEY_MAX = 250, MEMCACHED_VALUE_MAX = 4096 };

struct memcached {
    char name[LOGIN_NAME_SIZE]; /* for the log and for faults */
    struct wire wire;
};

/* What the server counts; -1 where it does not say. */
struct memcached_stats {
    int64_t items;
    int64_t bytes;
    int64_t uptime_s;
    int64_t evictions;
};

/* Connects, and with a user and password logs in as `memcached -Y` wants it. The password file has
 * "user:password", or the password alone where the URL names the user. After a failure there is
 * nothing to close. */
MUST_USE int memcached_open(struct memcached *memcached, const struct login *login,
                            struct fault *why);
void memcached_close(struct memcached *memcached);

/* One command that is answered with one line, like "version". An error is a fault. */
MUST_USE int memcached_call(struct memcached *memcached, const char *command, char *line,
                            size_t line_size, struct fault *why);

MUST_USE int memcached_stats(struct memcached *memcached, struct memcached_stats *out,
                             struct fault *why);

/* 1 with the value as text, or 0 when it is not there. */
MUST_USE int memcached_get(struct memcached *memcached, const char *key, char *out, size_t out_size,
                           struct fault *why);

struct memcached_item {
    const char *key;
    const char *value;
    int64_t expires_s; /* from now; 0: never */
};

/* 1, or 0 when add found it there already. */
MUST_USE int memcached_set(struct memcached *memcached, const struct memcached_item *item,
                           struct fault *why);
MUST_USE int memcached_add(struct memcached *memcached, const struct memcached_item *item,
                           struct fault *why);
MUST_USE int memcached_delete(struct memcached *memcached, const char *key, struct fault *why);

/* Forgets everything; with an item, that is set in the same breath. */
MUST_USE int memcached_flush(struct memcached *memcached, const struct memcached_item *item,
                             struct fault *why);

#endif
