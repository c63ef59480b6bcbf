/*
 * Owns making a connection. A name is looked up by the C library, which may take longer than the
 * deadline where DNS is silent (about 5 s a try); who must not wait that long does it in a child.
 */
#include "net/dial.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

enum { SOCKET_FLAGS = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC };

/* 0, or the errno that says why there is no connection. */
static int await_connect(int fd, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd waiter = { .fd = fd, .events = POLLOUT };
        int ready = poll(&waiter, 1, clock_left(deadline_ms));
        if (ready == 0)
            return ETIMEDOUT;
        if (ready < 0 && errno != EINTR)
            return errno;
        if (ready > 0)
            break;
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return errno;
    return error;
}

/* A port of the kind that the kernel gives to callers can be given to the one who calls it: the
 * socket then talks to itself, though no one listens. */
static bool is_own_echo(int fd)
{
    struct sockaddr_storage here = { 0 };
    struct sockaddr_storage there = { 0 };
    socklen_t here_size = sizeof here;
    socklen_t there_size = sizeof there;

    return getsockname(fd, (struct sockaddr *)&here, &here_size) == 0 &&
           getpeername(fd, (struct sockaddr *)&there, &there_size) == 0 &&
           here.ss_family != AF_UNIX && here_size == there_size &&
           memcmp(&here, &there, here_size) == 0;
}

/* The connected socket, or -1 with errno. */
static int try_address(const struct sockaddr *address, socklen_t size, const struct dial_hook *hook,
                       int64_t deadline_ms)
{
    int fd = socket(address->sa_family, SOCKET_FLAGS, 0);

    if (fd < 0)
        return -1;
    if (hook)
        hook->before(fd, address->sa_family, hook->context);
    int error = connect(fd, address, size) < 0 ? errno : 0;
    if (error == EINPROGRESS || error == EINTR)
        error = await_connect(fd, deadline_ms);
    if (error == 0 && is_own_echo(fd))
        error = ECONNREFUSED;
    if (error == 0)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

/* One silent address must leave time for those after it. */
static int64_t share_of(int64_t deadline_ms, const struct addrinfo *rest)
{
    int64_t now_ms = clock_ms();
    int64_t count = 0;

    if (deadline_ms == CLOCK_NEVER || deadline_ms <= now_ms)
        return deadline_ms;
    for (; rest; rest = rest->ai_next)
        count++;
    return now_ms + (deadline_ms - now_ms) / count;
}

static int dial_host(const char *host, uint16_t port, const struct dial_hook *hook,
                     int64_t deadline_ms, struct fault *why)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    char service[8];
    int fd = -1;

    snprintf(service, sizeof service, "%u", (unsigned)port);
    int code = getaddrinfo(host, service, &hints, &list);
    if (code == EAI_SYSTEM)
        return fault_errno(why, "look up %s", host);
    if (code != 0)
        return fault_set(why, "look up %s: %s", host, gai_strerror(code));
    for (const struct addrinfo *next = list; next && fd < 0; next = next->ai_next)
        fd = try_address(next->ai_addr, next->ai_addrlen, hook, share_of(deadline_ms, next));
    int error = errno;
    freeaddrinfo(list);
    errno = error;
    return fd < 0 ? fault_errno(why, "connect") : fd;
}

static int unix_address(const char *path, struct sockaddr_un *out)
{
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof out->sun_path)
        return ENAMETOOLONG;
    memcpy(out->sun_path, path, strlen(path) + 1);
    return 0;
}

int dial_unix(const char *path, int64_t deadline_ms, struct fault *why)
{
    struct sockaddr_un address;

    if (unix_address(path, &address) != 0)
        return fault_set(why, "the socket's path is longer than %zu bytes",
                         sizeof address.sun_path - 1);
    for (;;) {
        int fd = try_address((const struct sockaddr *)&address, sizeof address, NULL, deadline_ms);
        if (fd >= 0)
            return fd;
        /* The only way of a unix socket to say that its queue is full. */
        if (errno != EAGAIN)
            return fault_errno(why, "connect");
        if (clock_left(deadline_ms) == 0)
            return fault_set(why, "connect: the server's queue stayed full");
        poll(NULL, 0, 10);
    }
}

int dial_unix_state(const char *path)
{
    struct sockaddr_un address;
    int error = unix_address(path, &address);

    if (error != 0)
        return error;
    int fd = try_address((const struct sockaddr *)&address, sizeof address, NULL, 0);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static bool is_unix(const char *scheme)
{
    const char *plus = strrchr(scheme, '+');

    return strcmp(plus ? plus + 1 : scheme, "unix") == 0;
}

int dial_hooked(const struct url *url, const struct dial_hook *hook, int64_t deadline_ms,
                struct fault *why)
{
    if (is_unix(url->scheme))
        return dial_unix(url->path, deadline_ms, why);
    return dial_host(url->host, url->port, hook, deadline_ms, why);
}

int dial_url(const struct url *url, int64_t deadline_ms, struct fault *why)
{
    return dial_hooked(url, NULL, deadline_ms, why);
}
