/* RESP2: what is taken for a reply, what is refused, and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/redis.h"
#include "peer.h"

static struct redis redis;
static struct redis_reply reply;
static struct peer peer;
static struct fault why;

static void meet(const void *bytes, size_t size)
{
    fault_clear(&why);
    peer_open(&peer, bytes, size);
    redis.pending = 0;
    snprintf(redis.name, sizeof redis.name, "redis box:6379");
    wire_open(&redis.wire, peer.near, clock_ms() + 2000);
}

static void part(void)
{
    redis_close(&redis);
    peer_close(&peer);
}

static void replies_are_read_as_they_are_meant(void **state)
{
    static const struct {
        const char *bytes;
        enum redis_type type;
        int64_t number;
        const char *text;
    } rows[] = {
        { "+OK\r\n", REDIS_STATUS, 0, "OK" },
        { "+\r\n", REDIS_STATUS, 0, "" },
        { "-ERR no\r\n", REDIS_ERROR, 0, "ERR no" },
        { ":12\r\n", REDIS_NUMBER, 12, "" },
        { ":-3\r\n", REDIS_NUMBER, -3, "" },
        { "$5\r\nhello\r\n", REDIS_BULK, 5, "hello" },
        { "$4\r\na\r\nb\r\n", REDIS_BULK, 4, "a\r\nb" },
        { "$0\r\n\r\n", REDIS_BULK, 0, "" },
        { "$-1\r\n", REDIS_NIL, -1, "" },
        { "*-1\r\n", REDIS_NIL, -1, "" },
        { "*2\r\n", REDIS_ARRAY, 2, "" },
        { "*0\r\n", REDIS_ARRAY, 0, "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        meet(rows[i].bytes, strlen(rows[i].bytes));
        assert_int_equal(redis_read(&redis, &reply, &why), 0);
        assert_int_equal(reply.type, rows[i].type);
        assert_int_equal(reply.number, rows[i].number);
        assert_string_equal(reply.text, rows[i].text);
        part();
    }
}

static void what_is_no_reply_is_one_line_with_the_name(void **state)
{
    static const struct {
        const char *bytes;
        const char *words;
    } rows[] = {
        { "", "redis box:6379: the connection was closed" },
        { "HTTP/1.1 400 Bad Request\r\n",
          "is this redis? It answered \"HTTP/1.1 400 Bad Request\"" },
        { "\r\n", "is this redis?" },
        { "$x\r\n", "is this redis?" },
        { "$-2\r\n", "is this redis?" },
        { "$\r\n", "is this redis?" },
        { "$536870913\r\n", "is this redis?" },
        { "$99999999999999999999999\r\n", "is this redis?" },
        { "*1048577\r\n", "is this redis?" },
        { ":1.5\r\n", "is this redis?" },
        { ":--1\r\n", "is this redis?" },
        { "$3\r\nabcdefg", "a text has no end" },
        { "$10\r\nabc", "closed in the middle" },
        { "+OK", "closed before" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        meet(rows[i].bytes, strlen(rows[i].bytes));
        assert_int_equal(redis_read(&redis, &reply, &why), -1);
        assert_int_equal(why.count, 1);
        assert_non_null(strcasestr(fault_line(&why, 0), rows[i].words));
        assert_non_null(strstr(fault_line(&why, 0), "redis box:6379: "));
        part();
    }
}

static void a_text_of_any_size_costs_one_buffer(void **state)
{
    static char bytes[40000];
    int head = snprintf(bytes, sizeof bytes, "$30000\r\n");

    (void)state;
    memset(bytes + head, 'x', 30000);
    snprintf(bytes + head + 30000, 100, "\r\n+next\r\n");
    meet(bytes, (size_t)head + 30009);
    assert_int_equal(redis_read(&redis, &reply, &why), 0);
    assert_int_equal(reply.length, 30000);
    assert_int_equal(strlen(reply.text), sizeof reply.text - 1);
    assert_int_equal(redis_read(&redis, &reply, &why), 0);
    assert_string_equal(reply.text, "next");
    part();
}

static void a_silent_server_costs_the_deadline(void **state)
{
    int ends[2];

    (void)state;
    fault_clear(&why);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    int64_t began_ms = clock_ms();
    wire_open(&redis.wire, ends[0], began_ms + 50);
    redis.pending = 0;
    assert_int_equal(redis_call(&redis, REDIS_WORDS("PING"), &reply, &why), -1);
    assert_in_range(clock_ms() - began_ms, 50, 1000);
    assert_non_null(strstr(fault_line(&why, 0), "no answer in time"));
    redis_close(&redis);
    close(ends[1]);
}

static void words_are_sent_with_their_lengths(void **state)
{
    (void)state;
    meet("+OK\r\n", 5);
    assert_int_equal(redis_call(&redis, REDIS_WORDS("SET", "a b", ""), &reply, &why), 0);
    assert_string_equal(peer_hear(&peer), "*3\r\n$3\r\nSET\r\n$3\r\na b\r\n$0\r\n\r\n");
    part();
    meet("+OK\r\n", 5);
    assert_int_equal(redis_send_count(&redis, 1, &why), 0);
    assert_int_equal(redis_send_word(&redis, "a\0b", 3, &why), 0);
    assert_int_equal(redis_read(&redis, &reply, &why), 0);
    peer_hear(&peer);
    assert_memory_equal(peer.heard, "*1\r\n$3\r\na\0b\r\n", 13);
    part();
}

static void a_refusal_says_what_to_do(void **state)
{
    static const struct {
        const char *error;
        const char *words;
    } rows[] = {
        { "NOAUTH Authentication required.", "password_file" },
        { "WRONGPASS invalid username-password pair", "password_file" },
        { "ERR unknown command 'FLUSHDB'", "renamed or switched off" },
        { "MOVED 3999 127.0.0.1:6381", "cluster" },
        { "LOADING Redis is loading the dataset in memory", "wait = redis" },
        { "READONLY You can't write against a read only replica.", "replica" },
        { "ERR something new", "FLUSHDB refused: ERR something new" },
    };

    (void)state;
    snprintf(redis.name, sizeof redis.name, "redis box:6379");
    for (size_t i = 0; i < COUNT(rows); i++) {
        fault_clear(&why);
        reply.type = REDIS_ERROR;
        snprintf(reply.text, sizeof reply.text, "%s", rows[i].error);
        assert_int_equal(redis_refused(&redis, "FLUSHDB", &reply, &why), -1);
        assert_non_null(strstr(fault_line(&why, 0), rows[i].words));
        assert_non_null(strstr(fault_line(&why, 0), rows[i].error));
    }
}

static void the_database_is_in_the_path_or_the_query(void **state)
{
    static const struct {
        const char *url;
        int64_t database; /* -1: refused */
    } rows[] = {
        { "redis://h", 0 },
        { "redis://h/", 0 },
        { "redis://h/7", 7 },
        { "redis://h/x", -1 },
        { "redis://h/1/2", -1 },
        { "redis://h/-1", -1 },
        { "redis+unix:///run/r.sock?db=3", 3 },
        { "redis+unix:///run/r.sock", 0 },
        { "redis+unix:///run/r.sock?db=x", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct url url;
        int64_t database = -1;
        fault_clear(&why);
        assert_int_equal(url_parse(rows[i].url, &url, &why), 0);
        assert_int_equal(redis_database(&url, &database, &why), rows[i].database < 0 ? -1 : 0);
        if (rows[i].database >= 0)
            assert_int_equal(database, rows[i].database);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read_as_they_are_meant),
        cmocka_unit_test(what_is_no_reply_is_one_line_with_the_name),
        cmocka_unit_test(a_text_of_any_size_costs_one_buffer),
        cmocka_unit_test(a_silent_server_costs_the_deadline),
        cmocka_unit_test(words_are_sent_with_their_lengths),
        cmocka_unit_test(a_refusal_says_what_to_do),
        cmocka_unit_test(the_database_is_in_the_path_or_the_query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
