/*
 * One connection to a redis server in RESP2: one command, its reply. Fixed buffers: a reply of any
 * size costs no more than the deadline.
 */
#ifndef NET_REDIS_H
#define NET_REDIS_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/url.h"
#include "net/login.h"
#include "net/wire.h"

enum { REDIS_TEXT_MAX = 4096, REDIS_SEND_MAX = 16384 };

enum redis_type {
    REDIS_STATUS, /* text: "OK", "QUEUED" */
    REDIS_ERROR,  /* text: "NOAUTH Authentication required." */
    REDIS_NUMBER, /* number */
    REDIS_BULK,   /* text */
    REDIS_NIL,
    REDIS_ARRAY /* number: how many replies follow, each to be taken by redis_read */
};

struct redis_reply {
    enum redis_type type;
    int64_t number;
    size_t length;             /* of the whole text; what does not fit is dropped */
    char text[REDIS_TEXT_MAX]; /* ends with a zero byte, and may hold others */
};

struct redis {
    char name[LOGIN_NAME_SIZE]; /* for the log and for faults */
    size_t pending;             /* bytes of `send` that wait for the next redis_read */
    struct wire wire;
    char send[REDIS_SEND_MAX];
};

/* The database of redis://host/N and of redis+unix:/path?db=N; 0 where none is named. */
MUST_USE int redis_database(const struct url *url, int64_t *out, struct fault *why);

/* Connects, and where asked for says AUTH and SELECT. After a failure there is nothing to close. */
MUST_USE int redis_open(struct redis *redis, const struct login *login, struct fault *why);
void redis_close(struct redis *redis);

/* Words from the first to NULL. Sent with the next redis_read at the latest, so that several
 * commands can go together. */
MUST_USE int redis_send(struct redis *redis, const char *const *words, struct fault *why);

/* The same piece by piece, for words that may hold zero bytes: how many follow, then each. */
MUST_USE int redis_send_count(struct redis *redis, size_t count, struct fault *why);
MUST_USE int redis_send_word(struct redis *redis, const void *data, size_t size, struct fault *why);

/* The next reply. That the server refused is a reply too (REDIS_ERROR), not a fault. */
MUST_USE int redis_read(struct redis *redis, struct redis_reply *reply, struct fault *why);

/* redis_send and redis_read. */
MUST_USE int redis_call(struct redis *redis, const char *const *words, struct redis_reply *reply,
                        struct fault *why);
#define REDIS_WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* One clear line out of a reply that is not what `command` should get. Returns -1. */
int redis_refused(const struct redis *redis, const char *command, const struct redis_reply *reply,
                  struct fault *why);

#endif
