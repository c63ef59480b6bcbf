/* Owns the waiting on an open connection. Reads no more than its buffer ahead, never allocates. */
#include "net/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

void wire_open(struct wire *wire, int fd, int64_t deadline_ms)
{
    wire->fd = fd;
    wire->deadline_ms = deadline_ms;
    wire->used = 0;
    wire->taken = 0;
}

void wire_close(struct wire *wire)
{
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
}

/* Until the descriptor is ready for `events`. The deadline counts even where the peer is never
 * idle, so it is looked at before poll and not only by it. */
static int await(const struct wire *wire, short events, struct fault *why)
{
    for (;;) {
        struct pollfd waiter = { .fd = wire->fd, .events = events };
        int left_ms = clock_left(wire->deadline_ms);

        if (left_ms == 0)
            return fault_set(why, "no answer in time");
        int ready = poll(&waiter, 1, left_ms);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return fault_errno(why, "poll");
    }
}

int wire_send(struct wire *wire, const void *data, size_t size, struct fault *why)
{
    const char *next = data;

    while (size > 0) {
        if (await(wire, POLLOUT, why) < 0)
            return -1;
        ssize_t sent = send(wire->fd, next, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (sent < 0)
            return fault_errno(why, "send");
        next += sent;
        size -= (size_t)sent;
    }
    return 0;
}

static ssize_t receive(struct wire *wire, void *out, size_t size, struct fault *why)
{
    for (;;) {
        if (await(wire, POLLIN, why) < 0)
            return -1;
        ssize_t got = read(wire->fd, out, size);
        if (got >= 0)
            return got;
        if (errno != EAGAIN && errno != EINTR)
            return fault_errno(why, "receive");
    }
}

ssize_t wire_some(struct wire *wire, void *out, size_t size, struct fault *why)
{
    if (wire->taken == wire->used) {
        ssize_t got = receive(wire, wire->buffer, sizeof wire->buffer, why);
        if (got <= 0)
            return got;
        wire->taken = 0;
        wire->used = (size_t)got;
    }
    size_t there = wire->used - wire->taken;
    if (there > size)
        there = size;
    memcpy(out, wire->buffer + wire->taken, there);
    wire->taken += there;
    return (ssize_t)there;
}

int wire_bytes(struct wire *wire, void *out, size_t size, struct fault *why)
{
    char *next = out;

    while (size > 0) {
        ssize_t got = wire_some(wire, next, size, why);
        if (got < 0)
            return -1;
        if (got == 0)
            return fault_set(why, "the connection was closed in the middle of an answer");
        next += got;
        size -= (size_t)got;
    }
    return 0;
}

int wire_skip(struct wire *wire, uint64_t size, struct fault *why)
{
    while (size > 0) {
        char dropped[4096];
        size_t part = size < sizeof dropped ? (size_t)size : sizeof dropped;
        if (wire_bytes(wire, dropped, part, why) < 0)
            return -1;
        size -= part;
    }
    return 0;
}

int wire_line(struct wire *wire, char *out, size_t out_size, struct fault *why)
{
    size_t length = 0;

    for (;;) {
        char next;
        ssize_t got = wire_some(wire, &next, 1, why);
        if (got < 0)
            return -1;
        if (got == 0)
            return fault_set(why, "the connection was closed before an answer came");
        if (next == '\n')
            break;
        if (next == '\0')
            return fault_set(why, "a zero byte in a line of the answer");
        if (length + 1 >= out_size)
            return fault_set(why, "a line of the answer is longer than %zu bytes", out_size - 1);
        out[length++] = next;
    }
    if (length > 0 && out[length - 1] == '\r')
        length--;
    out[length] = '\0';
    return 0;
}
