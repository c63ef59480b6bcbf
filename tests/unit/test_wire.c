/* Lines and bytes over a connection: what is read, what is refused, and that the deadline holds. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/wire.h"
#include "peer.h"

static struct wire wire;
static struct peer peer;
static struct fault why;

static void meet(const void *bytes, size_t size)
{
    fault_clear(&why);
    peer_open(&peer, bytes, size);
    wire_open(&wire, peer.near, clock_ms() + 2000);
}

static void part(void)
{
    wire_close(&wire);
    peer_close(&peer);
}

static void lines_end_with_lf_or_crlf(void **state)
{
    static const char sent[] = "one\r\ntwo\n\r\nfour\rstill four\r\n";
    static const char *const lines[] = { "one", "two", "", "four\rstill four" };
    char line[64];

    (void)state;
    meet(sent, strlen(sent));
    for (size_t i = 0; i < COUNT(lines); i++) {
        assert_int_equal(wire_line(&wire, line, sizeof line, &why), 0);
        assert_string_equal(line, lines[i]);
    }
    assert_int_equal(wire_line(&wire, line, sizeof line, &why), -1);
    part();
}

static void a_line_that_can_not_be_text_is_a_fault(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *fault;
    } rows[] = {
        { "12345678\n", 9, "longer than 7 bytes" },
        { "a\0b\n", 4, "zero byte" },
        { "no end", 6, "closed" },
        { "", 0, "closed" },
    };
    char line[8];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        meet(rows[i].bytes, rows[i].size);
        assert_int_equal(wire_line(&wire, line, sizeof line, &why), -1);
        assert_non_null(strstr(fault_line(&why, 0), rows[i].fault));
        part();
    }
}

static void a_line_that_just_fits_is_taken(void **state)
{
    char line[8];

    (void)state;
    meet("1234567\n", 8);
    assert_int_equal(wire_line(&wire, line, sizeof line, &why), 0);
    assert_string_equal(line, "1234567");
    part();
}

static void bytes_and_lines_mix_across_the_buffer(void **state)
{
    static char sent[12000];
    static char got[12000];
    char line[16];

    (void)state;
    memset(sent, 'x', sizeof sent);
    memcpy(sent, "head\n", 5);
    memcpy(sent + 9000, "tail\n", 5);
    meet(sent, sizeof sent);
    assert_int_equal(wire_line(&wire, line, sizeof line, &why), 0);
    assert_int_equal(wire_bytes(&wire, got, 5000, &why), 0);
    assert_memory_equal(got, sent + 5, 5000);
    assert_int_equal(wire_skip(&wire, 3995, &why), 0);
    assert_int_equal(wire_line(&wire, line, sizeof line, &why), 0);
    assert_string_equal(line, "tail");
    assert_int_equal(wire_bytes(&wire, got, sizeof got, &why), -1);
    assert_non_null(strstr(fault_line(&why, 0), "in the middle"));
    part();
}

static void the_end_of_the_stream_is_no_fault_for_some(void **state)
{
    char got[8];

    (void)state;
    meet("abc", 3);
    assert_int_equal(wire_some(&wire, got, 2, &why), 2);
    assert_int_equal(wire_some(&wire, got, sizeof got, &why), 1);
    assert_int_equal(wire_some(&wire, got, sizeof got, &why), 0);
    assert_int_equal(why.count, 0);
    part();
}

static void a_silent_peer_costs_the_deadline(void **state)
{
    char line[8];
    int64_t began_ms = clock_ms();
    int ends[2];

    (void)state;
    fault_clear(&why);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    wire_open(&wire, ends[0], began_ms + 40);
    assert_int_equal(wire_line(&wire, line, sizeof line, &why), -1);
    assert_string_equal(fault_line(&why, 0), "no answer in time");
    assert_in_range(clock_ms() - began_ms, 40, 1500);
    wire_close(&wire);
    close(ends[1]);
}

static void a_peer_that_never_stops_costs_the_deadline(void **state)
{
    int64_t began_ms = clock_ms();

    (void)state;
    fault_clear(&why);
    wire_open(&wire, open("/dev/zero", O_RDONLY | O_CLOEXEC), began_ms + 40);
    assert_int_equal(wire_skip(&wire, UINT64_MAX, &why), -1);
    assert_string_equal(fault_line(&why, 0), "no answer in time");
    assert_in_range(clock_ms() - began_ms, 40, 1500);
    wire_close(&wire);
}

static void a_peer_that_does_not_read_costs_the_deadline(void **state)
{
    static const char much[4 * 1024 * 1024];
    int64_t began_ms = clock_ms();
    int ends[2];

    (void)state;
    fault_clear(&why);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    wire_open(&wire, ends[0], began_ms + 40);
    assert_int_equal(wire_send(&wire, much, sizeof much, &why), -1);
    assert_string_equal(fault_line(&why, 0), "no answer in time");
    wire_close(&wire);
    close(ends[1]);
}

static void a_peer_that_is_gone_is_a_fault_and_no_signal(void **state)
{
    (void)state;
    meet("", 0);
    peer_close(&peer);
    assert_int_equal(wire_send(&wire, "hello", 5, &why), -1);
    assert_non_null(strstr(fault_line(&why, 0), "Broken pipe"));
    wire_close(&wire);
}

static void what_is_sent_arrives_whole(void **state)
{
    (void)state;
    meet("", 0);
    assert_int_equal(wire_send(&wire, "hel", 3, &why), 0);
    assert_int_equal(wire_send(&wire, "lo", 2, &why), 0);
    assert_string_equal(peer_hear(&peer), "hello");
    part();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_with_lf_or_crlf),
        cmocka_unit_test(a_line_that_can_not_be_text_is_a_fault),
        cmocka_unit_test(a_line_that_just_fits_is_taken),
        cmocka_unit_test(bytes_and_lines_mix_across_the_buffer),
        cmocka_unit_test(the_end_of_the_stream_is_no_fault_for_some),
        cmocka_unit_test(a_silent_peer_costs_the_deadline),
        cmocka_unit_test(a_peer_that_never_stops_costs_the_deadline),
        cmocka_unit_test(a_peer_that_does_not_read_costs_the_deadline),
        cmocka_unit_test(a_peer_that_is_gone_is_a_fault_and_no_signal),
        cmocka_unit_test(what_is_sent_arrives_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
