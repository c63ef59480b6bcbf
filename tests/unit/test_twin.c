/* Two sockets on one address: who gets a connection, before, while and after both are there. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "proc/twin.h"

enum { TRIES = 20 };

static struct fault why;

/* A listener of ours, on a port that the kernel chose. */
static void listen_on(int family, struct listeners *out)
{
    struct sockaddr_storage address = { .ss_family = (sa_family_t)family };
    socklen_t size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int yes = 1;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 16), 0);
    *out = (struct listeners){ .fds = { fd }, .count = 1 };
    fault_clear(&why);
}

static in_port_t port_of(int fd)
{
    struct sockaddr_in6 address;
    socklen_t length = sizeof address;

    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    /* At the same place in an IPv4 address. */
    return address.sin6_port;
}

static void call(int fd, int family, in_port_t port)
{
    struct sockaddr_in four = { .sin_family = AF_INET,
                                .sin_port = port,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6,
                                .sin6_port = port,
                                .sin6_addr = IN6ADDR_LOOPBACK_INIT };

    if (family == AF_INET)
        assert_int_equal(connect(fd, (struct sockaddr *)&four, sizeof four), 0);
    else
        assert_int_equal(connect(fd, (struct sockaddr *)&six, sizeof six), 0);
}

/* Whether the listener has a connection waiting, which is taken. */
static bool takes(int listener)
{
    assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    int fd = accept(listener, NULL, NULL);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Every one of many connections goes to it, and none to the other. */
static void all_go_to(int wanted, int other, int family)
{
    for (int i = 0; i < TRIES; i++) {
        int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        call(fd, family, port_of(wanted));
        assert_true(takes(wanted));
        if (other >= 0)
            assert_false(takes(other));
        close(fd);
    }
}

static void hand_over(struct listeners *old, int family)
{
    struct listeners new;
    int held;

    assert_int_equal(twin_open(old, &new, &why), 0);
    assert_int_equal(new.count, 1);
    assert_true(new.is_twin[0]);
    assert_true(fcntl(new.fds[0], F_GETFD) & FD_CLOEXEC);
    assert_int_equal(port_of(new.fds[0]), port_of(old->fds[0]));
    all_go_to(old->fds[0], new.fds[0], family);

    int probe = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    twin_admit(&new, probe, family);
    call(probe, family, port_of(old->fds[0]));
    assert_true(takes(new.fds[0]));
    assert_false(takes(old->fds[0]));
    all_go_to(old->fds[0], new.fds[0], family);

    twin_take_over(&new);
    all_go_to(new.fds[0], old->fds[0], family);
    /* An old worker that does not end has it still. */
    held = dup(old->fds[0]);
    twin_close(old, &new);
    all_go_to(new.fds[0], -1, family);
    assert_false(takes(held));
    assert_false(new.is_twin[0]);
    assert_int_equal(old->count, 0);
    close(held);
    close(probe);
    *old = new;
}

static void a_connection_goes_where_it_is_said_in_every_generation(void **state)
{
    static const int families[][2] = { { AF_INET, AF_INET },
                                       { AF_INET6, AF_INET6 },
                                       { AF_INET6, AF_INET } };
    struct listeners held;

    (void)state;
    for (size_t i = 0; i < COUNT(families); i++) {
        listen_on(families[i][0], &held);
        for (int generation = 0; generation < 3; generation++)
            hand_over(&held, families[i][1]);
        close(held.fds[0]);
    }
}

static void a_new_server_that_fails_leaves_the_old_one_all(void **state)
{
    struct listeners held, failed;
    int is_shared = 1;
    socklen_t size = sizeof is_shared;

    (void)state;
    listen_on(AF_INET, &held);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(twin_open(&held, &failed, &why), 0);
        twin_close(&failed, &held);
        all_go_to(held.fds[0], -1, AF_INET);
    }
    assert_int_equal(getsockopt(held.fds[0], SOL_SOCKET, SO_REUSEPORT, &is_shared, &size), 0);
    assert_int_equal(is_shared, 0);
    close(held.fds[0]);
}

static void what_has_no_twin_is_the_same_socket_in_its_place(void **state)
{
    int pair[2];
    struct listeners held, next;

    (void)state;
    listen_on(AF_INET, &held);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    held.fds[held.count++] = pair[0];
    assert_int_equal(twin_open(&held, &next, &why), 0);
    assert_int_equal(next.count, 2);
    assert_true(next.is_twin[0]);
    assert_false(next.is_twin[1]);
    assert_true(next.fds[0] < next.fds[1]);
    twin_take_over(&next);
    twin_close(&held, &next);
    /* Closed, but not ended. */
    assert_int_equal(write(next.fds[1], "x", 1), 1);
    assert_int_equal(write(pair[0], "x", 1), -1);
    assert_int_equal(errno, EBADF);
    close(next.fds[0]);
    close(next.fds[1]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_goes_where_it_is_said_in_every_generation),
        cmocka_unit_test(a_new_server_that_fails_leaves_the_old_one_all),
        cmocka_unit_test(what_has_no_twin_is_the_same_socket_in_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
