/* Which server, as whom, until when; and how it is called in the log. */
#ifndef NET_LOGIN_H
#define NET_LOGIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/url.h"

enum { LOGIN_NAME_SIZE = 400, LOGIN_SECRET_SIZE = 512 };

struct login {
    const struct url *url;
    const char *password_file; /* NULL: the URL's user and password, if any */
    int64_t deadline_ms; /* of clock_ms, for the connection and for all that is said over it */
};

/* "redis cache:6379/1", "memcached /run/memcached.sock": never a secret. Returns `out`. */
const char *login_name(const struct url *url, char *out, size_t out_size);

/* The file's text without the end of its line, else the URL's password; "" when there is none.
 * Never in a fault. */
MUST_USE int login_secret(const struct login *login, char *out, size_t out_size, struct fault *why);

#endif
