/* Who listens: the kernel's table of sockets, and the processes that hold one of them. */
#ifndef STAGE_PORTS_H
#define STAGE_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/fault.h"

enum { PORTS_SOCKETS_MAX = 64, PORTS_HOLDERS_MAX = 256, PORTS_COMMAND_SIZE = 100 };

/* IPv4 is kept as IPv6 keeps it (::ffff:a.b.c.d), but 0.0.0.0 is :: with is_ipv6 false. */
struct ports_address {
    unsigned char bytes[16];
    uint16_t port;
    bool is_ipv6;
};

struct ports_socket {
    struct ports_address address;
    uint64_t inode;
    uid_t uid; /* of its maker */
};

struct ports_sockets {
    struct ports_socket items[PORTS_SOCKETS_MAX];
    size_t count;
};

/* Every process that has one of the sockets open, the oldest first. */
struct ports_holder {
    pid_t pid;
    uint64_t start; /* of procfs */
    uid_t uid;
    char command[PORTS_COMMAND_SIZE]; /* its command line, escaped and cut */
};

struct ports_holders {
    struct ports_holder items[PORTS_HOLDERS_MAX];
    size_t count;
    bool has_hidden; /* there were processes that we may not look into */
};

/* "0.0.0.0", "::", "127.0.0.1", "localhost": numbers only, since a name has no one address. */
MUST_USE int ports_address(const char *host, uint16_t port, struct ports_address *out,
                           struct fault *why);

/* Would a listener at `left` be in the way of one at `right`? */
bool ports_collide(const struct ports_address *left, const struct ports_address *right);

/* One line of /proc/net/tcp or tcp6; false when it is no listening socket, or no such line. */
bool ports_parse(const char *line, struct ports_socket *out);

/* Every listener of this network namespace that is in the way of `wanted`. */
MUST_USE int ports_find(const struct ports_address *wanted, struct ports_sockets *out,
                        struct fault *why);

/* The unix sockets bound to exactly this path, as far as this network namespace knows them. */
MUST_USE int ports_find_unix(const char *path, struct ports_sockets *out, struct fault *why);

/* Who has them open. No one where they belong to another PID namespace, or /proc does not tell. */
void ports_holders(const struct ports_sockets *sockets, struct ports_holders *out);

/* Command line and user of one process; false when it is gone. */
bool ports_describe(pid_t pid, struct ports_holder *out);

#endif
