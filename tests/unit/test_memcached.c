/* memcached's text protocol: answers, refusals, and the marker beside a flush. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/memcached.h"
#include "peer.h"
#include "stage/once_memcached.h"

static struct memcached memcached;
static struct peer peer;
static struct fault why;
static char value[MEMCACHED_VALUE_MAX];

static void meet(const char *bytes)
{
    fault_clear(&why);
    peer_open(&peer, bytes, strlen(bytes));
    snprintf(memcached.name, sizeof memcached.name, "memcached box:11211");
    wire_open(&memcached.wire, peer.near, clock_ms() + 2000);
}

static void part(void)
{
    memcached_close(&memcached);
    peer_close(&peer);
}

static void values_are_found_or_not(void **state)
{
    static const struct {
        const char *bytes;
        int result;
        const char *text;
    } rows[] = {
        { "END\r\n", 0, "" },
        { "VALUE k 0 5\r\nhello\r\nEND\r\n", 1, "hello" },
        { "VALUE k 0 7\r\nEND\r\nab\r\nEND\r\n", 1, "END\r\nab" },
        { "VALUE k 0 0\r\n\r\nEND\r\n", 1, "" },
        { "VALUE k 0 4096\r\n", -1, "unexpected size" },
        { "VALUE k 0 -1\r\n", -1, "unexpected size" },
        { "VALUE k 0 x\r\n", -1, "unexpected size" },
        { "VALUE \r\n", -1, "unexpected size" },
        { "VALUE k 0 9\r\nhello\r\n", -1, "closed" },
        { "VALUE k 0 5\r\nhello\r\nmore\r\n", -1, "is this memcached?" },
        { "SERVER_ERROR out of memory\r\n", -1, "get refused: SERVER_ERROR out of memory" },
        { "CLIENT_ERROR unauthenticated\r\n", -1, "password_file" },
        { "HTTP/1.0 400\r\n", -1, "is this memcached? It answered \"HTTP/1.0 400\"" },
        { "", -1, "memcached box:11211: the connection was closed" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        meet(rows[i].bytes);
        assert_int_equal(memcached_get(&memcached, "k", value, sizeof value, &why), rows[i].result);
        if (rows[i].result < 0)
            assert_non_null(strstr(fault_line(&why, 0), rows[i].text));
        else
            assert_string_equal(value, rows[i].text);
        part();
    }
}

static void counts_are_taken_where_they_are_given(void **state)
{
    struct memcached_stats stats;

    (void)state;
    meet("STAT uptime 12\r\nSTAT curr_items 1234\r\nSTAT bytes 5\r\nSTAT bytes_read 99\r\n"
         "STAT evictions x\r\nEND\r\n");
    assert_int_equal(memcached_stats(&memcached, &stats, &why), 0);
    assert_int_equal(stats.items, 1234);
    assert_int_equal(stats.bytes, 5);
    assert_int_equal(stats.uptime_s, 12);
    assert_int_equal(stats.evictions, -1);
    part();
    meet("END\r\n");
    assert_int_equal(memcached_stats(&memcached, &stats, &why), 0);
    assert_int_equal(stats.items, -1);
    part();
}

static void stats_have_an_end(void **state)
{
    static char bytes[20000];
    struct memcached_stats stats;

    (void)state;
    for (int i = 0; i < 1100; i++)
        snprintf(bytes + (size_t)i * 10, 11, "STAT a 1\r\n");
    meet(bytes);
    assert_int_equal(memcached_stats(&memcached, &stats, &why), -1);
    assert_non_null(strstr(fault_line(&why, 0), "no end"));
    part();
}

static void flush_and_marker_are_sent_together(void **state)
{
    const struct memcached_item item = { .key = "m", .value = "v" };

    (void)state;
    meet("OK\r\nSTORED\r\n");
    assert_int_equal(memcached_flush(&memcached, &item, &why), 0);
    assert_string_equal(peer_hear(&peer), "flush_all\r\nset m 0 0 1\r\nv\r\n");
    part();
}

static void a_refused_flush_leaves_no_marker(void **state)
{
    const struct memcached_item item = { .key = "m", .value = "v" };

    (void)state;
    meet("CLIENT_ERROR flush_all not allowed\r\nSTORED\r\nDELETED\r\n");
    assert_int_equal(memcached_flush(&memcached, &item, &why), -1);
    assert_non_null(strstr(fault_line(&why, 0), "-F"));
    assert_non_null(strstr(peer_hear(&peer), "\r\nv\r\ndelete m\r\n"));
    part();
}

static void a_marker_that_the_flush_took_is_set_again(void **state)
{
    struct once_turn turn = { .marker_key = "m", .deadline_ms = clock_ms() + 5000 };

    (void)state;
    meet("OK\r\nSTORED\r\nEND\r\nSTORED\r\nVALUE m 0 1\r\nv\r\nEND\r\n");
    assert_int_equal(once_memcached_flush(&memcached, &turn, &why), 0);
    const char *sent = peer_hear(&peer);
    const char *first = strstr(sent, "set m ");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "set m "));
    part();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_or_not),
        cmocka_unit_test(counts_are_taken_where_they_are_given),
        cmocka_unit_test(stats_have_an_end),
        cmocka_unit_test(flush_and_marker_are_sent_together),
        cmocka_unit_test(a_refused_flush_leaves_no_marker),
        cmocka_unit_test(a_marker_that_the_flush_took_is_set_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
