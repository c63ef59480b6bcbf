/*
 * Owns the sockets of two generations at once. SO_REUSEPORT is on only while there are two, and
 * never lets in another user: the kernel shares an address among sockets of one user alone.
 */
#include "proc/twin.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* musl 1.2.3 and older headers. */
#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51
#endif

enum {
    OLD, /* the places of both in the kernel's group: in the order of their coming */
    NEW,
    FOUR_PORT = 20, /* where a segment's source port is, from the begin of its packet */
    SIX_PORT = 40,
    VERSION_SIX = 6
};

/* What a filter returns is the place of the socket that gets the connection. */
static int choose(int fd, struct sock_filter *filter, size_t count)
{
    const struct sock_fprog program = { .len = (unsigned short)count, .filter = filter };

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program);
}

static int choose_always(int fd, uint32_t place)
{
    struct sock_filter filter[] = { BPF_STMT(BPF_RET | BPF_K, place) };

    return choose(fd, filter, COUNT(filter));
}

static void choose_by_port(int fd, uint16_t from)
{
    const uint32_t packet = (uint32_t)SKF_NET_OFF;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, packet),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, VERSION_SIX, 0, 2),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, packet + SIX_PORT),
        BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, packet + FOUR_PORT),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, from, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, NEW),
        BPF_STMT(BPF_RET | BPF_K, OLD),
    };

    (void)choose(fd, filter, COUNT(filter));
}

static void share_port(int fd, int is_on)
{
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &is_on, sizeof is_on);
}

/* Bound where `old` is, and listening. -1 where that can't be. */
static int open_twin(int old)
{
    struct sockaddr_storage address = { 0 };
    socklen_t length = sizeof address;
    int only_six = 0;
    int yes = 1;

    if (getsockname(old, (struct sockaddr *)&address, &length) < 0 ||
        (address.ss_family != AF_INET && address.ss_family != AF_INET6))
        return -1;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    socklen_t size = sizeof only_six;
    if (address.ss_family == AF_INET6 &&
        getsockopt(old, IPPROTO_IPV6, IPV6_V6ONLY, &only_six, &size) == 0)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_six, size);
    share_port(old, 1);
    share_port(fd, 1);
    /* From an earlier hand-over the kernel may have a choice that is not of today. Where it has
     * none yet there is none to make before both are there. */
    (void)choose_always(old, OLD);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(fd, (const struct sockaddr *)&address, length) == 0 &&
        listen(fd, LISTEN_BACKLOG) == 0 && choose_always(fd, OLD) == 0)
        return fd;
    close(fd);
    share_port(old, 0);
    return -1;
}

int twin_open(struct listeners *now, struct listeners *out, struct fault *why)
{
    int least = STDERR_FILENO + 1;

    *out = (struct listeners){ 0 };
    for (size_t i = 0; i < now->count; i++) {
        int twin = open_twin(now->fds[i]);
        /* In rising order, as they are handed on. */
        int fd = fcntl(twin < 0 ? now->fds[i] : twin, F_DUPFD_CLOEXEC, least);
        if (twin >= 0)
            close(twin);
        if (fd < 0) {
            fault_errno(why, "can't hold a listening socket");
            twin_close(out, now);
            return -1;
        }
        out->is_twin[i] = twin >= 0;
        out->fds[out->count++] = fd;
        least = fd + 1;
    }
    return 0;
}

void twin_admit(const struct listeners *twins, int caller, int family)
{
    bool is_six = family == AF_INET6;
    struct sockaddr_storage address = { .ss_family = (sa_family_t)family };
    socklen_t length = is_six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

    if ((!is_six && family != AF_INET) ||
        bind(caller, (const struct sockaddr *)&address, length) < 0 ||
        getsockname(caller, (struct sockaddr *)&address, &length) < 0)
        return;
    for (size_t i = 0; i < twins->count; i++)
        if (twins->is_twin[i])
            choose_by_port(twins->fds[i], listen_port(&address));
}

void twin_take_over(const struct listeners *twins)
{
    for (size_t i = 0; i < twins->count; i++)
        if (twins->is_twin[i])
            (void)choose_always(twins->fds[i], NEW);
}

void twin_close(struct listeners *gone, struct listeners *left)
{
    for (size_t i = 0; i < gone->count; i++) {
        /* Whoever inherited it holds it still, and would be given connections. */
        if (gone->is_twin[i] || left->is_twin[i]) {
            shutdown(gone->fds[i], SHUT_RDWR);
            share_port(left->fds[i], 0);
        }
        left->is_twin[i] = false;
        close(gone->fds[i]);
    }
    *gone = (struct listeners){ 0 };
}
