/*
 * Bytes and lines over a connected stream, before one deadline. A peer that sends a byte a second,
 * or a gigabyte, costs at most the deadline and the fixed buffer.
 */
#ifndef NET_WIRE_H
#define NET_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/fault.h"

struct wire {
    int fd;
    int64_t deadline_ms; /* of clock_ms */
    size_t used;         /* bytes in buffer */
    size_t taken;        /* of them already handed out */
    char buffer[4096];
};

/* Takes over `fd`, a socket or anything else that poll knows; wire_close closes it. */
void wire_open(struct wire *wire, int fd, int64_t deadline_ms);
void wire_close(struct wire *wire);

/* All of it. A peer that is gone is a fault, never a SIGPIPE. */
MUST_USE int wire_send(struct wire *wire, const void *data, size_t size, struct fault *why);

/* The next line as text, without its LF or CRLF. One that does not fit is a fault; so is one with a
 * NUL byte, and the end of the stream. */
MUST_USE int wire_line(struct wire *wire, char *out, size_t out_size, struct fault *why);

/* Exactly `size` bytes; an earlier end of the stream is a fault. wire_skip drops them. */
MUST_USE int wire_bytes(struct wire *wire, void *out, size_t size, struct fault *why);
MUST_USE int wire_skip(struct wire *wire, uint64_t size, struct fault *why);

/* What is there, one to `size` bytes; 0 at the end of the stream, -1 with a fault. */
MUST_USE ssize_t wire_some(struct wire *wire, void *out, size_t size, struct fault *why);

#endif
