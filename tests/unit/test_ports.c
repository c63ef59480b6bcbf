/* The kernel's tables of sockets: which lines count, which addresses are in each other's way. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "stage/ports.h"

#define REST " 00000000:00000000 00:00000000 00000000  1000        0 4711 1 x 100 0 0 10 0"
#define ANY6 "00000000000000000000000000000000"

static struct fault why;

static struct ports_address address(const char *host, uint16_t port)
{
    struct ports_address out;

    fault_clear(&why);
    assert_int_equal(ports_address(host, port, &out, &why), 0);
    return out;
}

static void only_lines_of_listeners_count(void **state)
{
    static const struct {
        const char *line;
        const char *host; /* NULL: does not count */
    } rows[] = {
        { "   0: 00000000:1F40 00000000:0000 0A" REST, "0.0.0.0" },
        { "  17: 0100007F:1F40 00000000:0000 0A" REST, "127.0.0.1" },
        { "   0: " ANY6 ":1F40 " ANY6 ":0000 0A" REST, "::" },
        { "   0: 0000000000000000FFFF00000100007F:1F40 " ANY6 ":0000 0A" REST, "::ffff:127.0.0.1" },
        { "   0: 00000000:1F40 00000000:0000 01" REST, NULL },
        { "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
          NULL },
        { "   0: 00000000:1F40 00000000:0000 0A", NULL },
        { "   0: 000000:1F40 00000000:0000 0A" REST, NULL },
        { "   0: 00000000:1F400 00000000:0000 0A" REST, NULL },
        { "   0: 00000000 00000000:0000 0A" REST, NULL },
        { "   0: 00000000:1F40 00000000:0000 0A a b c -1 0 4711", NULL },
        { "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ports_socket found;
        assert_int_equal(ports_parse(rows[i].line, &found), rows[i].host != NULL);
        if (!rows[i].host)
            continue;
        struct ports_address wanted = address(rows[i].host, 8000);
        assert_memory_equal(found.address.bytes, wanted.bytes, sizeof wanted.bytes);
        assert_int_equal(found.address.is_ipv6, wanted.is_ipv6);
        assert_int_equal(found.address.port, 8000);
        assert_int_equal(found.inode, 4711);
        assert_int_equal(found.uid, 1000);
    }
}

static void addresses_collide_as_the_kernel_has_it(void **state)
{
    static const struct {
        const char *left;
        const char *right;
        bool collide;
    } rows[] = {
        { "0.0.0.0", "0.0.0.0", true },
        { "0.0.0.0", "127.0.0.1", true },
        { "127.0.0.1", "127.0.0.1", true },
        { "127.0.0.1", "127.0.0.2", false },
        { "::", "0.0.0.0", true },
        { "::", "127.0.0.1", true },
        { "::1", "127.0.0.1", false },
        { "::1", "0.0.0.0", false },
        { "::", "::1", true },
        { "::1", "::1", true },
        { "::ffff:127.0.0.1", "127.0.0.1", true },
        { "localhost", "127.0.0.1", true },
        { "::ffff:127.0.0.1", "0.0.0.0", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ports_address left = address(rows[i].left, 80);
        struct ports_address right = address(rows[i].right, 80);
        assert_int_equal(ports_collide(&left, &right), rows[i].collide);
        assert_int_equal(ports_collide(&right, &left), rows[i].collide);
        right.port = 81;
        assert_false(ports_collide(&left, &right));
    }
}

static void a_name_is_no_address(void **state)
{
    struct ports_address out;

    (void)state;
    fault_clear(&why);
    assert_int_equal(ports_address("db", 5432, &out, &why), -1);
    assert_non_null(strstr(fault_line(&why, 0), "tcp://0.0.0.0:5432"));
}

static void our_own_listener_is_found_with_us_as_its_holder(void **state)
{
    static struct ports_sockets sockets;
    static struct ports_holders holders;
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof here;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &size), 0);
    struct ports_address any = address("0.0.0.0", ntohs(here.sin_port));
    assert_int_equal(ports_find(&any, &sockets, &why), 0);
    assert_int_equal(sockets.count, 1);
    assert_int_equal(sockets.items[0].uid, getuid());
    ports_holders(&sockets, &holders);
    assert_int_equal(holders.count, 1);
    assert_int_equal(holders.items[0].pid, getpid());
    assert_non_null(strstr(holders.items[0].command, "test_ports"));
    close(fd);
    assert_int_equal(ports_find(&any, &sockets, &why), 0);
    assert_int_equal(sockets.count, 0);
}

static void a_unix_socket_is_found_by_its_path(void **state)
{
    static struct ports_sockets sockets;
    struct sockaddr_un here = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    snprintf(here.sun_path, sizeof here.sun_path, "/tmp/a name with blanks.%d", (int)getpid());
    assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof here), 0);
    fault_clear(&why);
    assert_int_equal(ports_find_unix(here.sun_path, &sockets, &why), 0);
    assert_int_equal(sockets.count, 1);
    here.sun_path[strlen(here.sun_path) - 1] = '\0';
    assert_int_equal(ports_find_unix(here.sun_path, &sockets, &why), 0);
    assert_int_equal(sockets.count, 0);
    snprintf(here.sun_path, sizeof here.sun_path, "/tmp/a name with blanks.%d", (int)getpid());
    unlink(here.sun_path);
    close(fd);
}

static void a_process_is_described_while_it_lives(void **state)
{
    struct ports_holder holder;

    (void)state;
    assert_true(ports_describe(getpid(), &holder));
    assert_int_equal(holder.uid, geteuid());
    assert_true(holder.start > 0);
    assert_false(ports_describe(0x3ffffff, &holder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_lines_of_listeners_count),
        cmocka_unit_test(addresses_collide_as_the_kernel_has_it),
        cmocka_unit_test(a_name_is_no_address),
        cmocka_unit_test(our_own_listener_is_found_with_us_as_its_holder),
        cmocka_unit_test(a_unix_socket_is_found_by_its_path),
        cmocka_unit_test(a_process_is_described_while_it_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
