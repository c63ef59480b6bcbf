/* The other end of a connection: it has said all it will say, and keeps what it is told. */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer {
    int near; /* for wire_open, which closes it */
    int far;
    char heard[16384];
};

/* It answers with these bytes, and then says no more. */
static inline void peer_open(struct peer *peer, const void *bytes, size_t size)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    *peer = (struct peer){ .near = ends[0], .far = ends[1] };
    assert_int_equal(write(peer->far, bytes, size), (ssize_t)size);
    shutdown(peer->far, SHUT_WR);
}

/* All that was sent to it until now, as text. */
static inline const char *peer_hear(struct peer *peer)
{
    ssize_t count = recv(peer->far, peer->heard, sizeof peer->heard - 1, MSG_DONTWAIT);

    peer->heard[count > 0 ? count : 0] = '\0';
    return peer->heard;
}

static inline void peer_close(struct peer *peer)
{
    close(peer->far);
}

#endif
