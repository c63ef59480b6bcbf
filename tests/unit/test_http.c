/* HTTP answers: status, chosen headers, the body and what is looked for in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/http.h"
#include "peer.h"

static struct wire wire;
static struct peer peer;
static struct fault why;
static struct http_answer answer;

static int receive(const char *bytes, size_t size, const struct http_query *query)
{
    fault_clear(&why);
    peer_open(&peer, bytes, size);
    wire_open(&wire, peer.near, clock_ms() + 2000);
    int result = http_receive(&wire, query, &answer, &why);
    wire_close(&wire);
    peer_close(&peer);
    return result;
}

static void a_status_is_an_answer(void **state)
{
    static const struct {
        const char *bytes;
        int status;
    } rows[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200 },
        { "HTTP/1.0 404 Not Found\n\nbody", 404 },
        { "HTTP/1.1 204\r\n\r\n", 204 },
        { "HTTP/1.1 503 \r\n\r\n", 503 },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
          "HTTP/1.1 201 Created\r\n\r\n",
          201 },
    };
    const struct http_query query = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(receive(rows[i].bytes, strlen(rows[i].bytes), &query), 0);
        assert_int_equal(answer.status, rows[i].status);
    }
}

static void what_is_no_answer_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *bytes;
        const char *fault;
    } rows[] = {
        { "", "closed before" },
        { "SSH-2.0-OpenSSH_9.2\r\n", "no HTTP server: it answered \"SSH-2.0-OpenSSH_9.2\"" },
        { "HTTP/1.1 2000 OK\r\n\r\n", "no HTTP server" },
        { "HTTP/1.1 abc\r\n\r\n", "no HTTP server" },
        { "HTTP/1.1 200 OK\r\nServer: x", "in the middle of the answer's head" },
        { "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "broken line" },
        { "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "Content-Length is \"-1\"" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", "Content-Length" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "broken chunk" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "broken chunk" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "longer than" },
        { "HTTP/1.1 100 Continue\r\n\r\n", "closed before" },
    };
    const struct http_query query = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(receive(rows[i].bytes, strlen(rows[i].bytes), &query), -1);
        assert_non_null(strstr(fault_line(&why, 0), rows[i].fault));
    }
}

static void bodies_of_every_kind_are_read(void **state)
{
    static const struct {
        const char *bytes;
        const char *body;
    } rows[] = {
        { "HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcdef", "abcd" },
        { "HTTP/1.1 200 OK\r\ncontent-length:4 \r\n\r\nab", "ab" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
          "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
          "abcde" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\nA\r\n0123456789\r\n",
          "0123456789" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "ab" },
        { "HTTP/1.1 304 Not Modified\r\n\r\nnot a body", "" },
        { "HTTP/1.1 103 Early\r\nContent-Length: 1\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc", "abc" },
    };
    const struct http_query query = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(receive(rows[i].bytes, strlen(rows[i].bytes), &query), 0);
        assert_string_equal(answer.body, rows[i].body);
        assert_int_equal(answer.body_size, strlen(rows[i].body));
    }
}

static void a_text_is_found_wherever_it_lies(void **state)
{
    static char bytes[9000];
    const struct http_query query = { .text = "needle" };
    const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
    size_t head_size = strlen(head);

    (void)state;
    /* Around each edge of the parts in which a body is read. */
    for (size_t at = 900; at < 4200; at++) {
        memset(bytes, 'n', sizeof bytes);
        memcpy(bytes, head, head_size);
        assert_int_equal(receive(bytes, sizeof bytes, &query), 0);
        assert_false(answer.has_text);
        memcpy(bytes + head_size + at, "needle", 6);
        assert_int_equal(receive(bytes, sizeof bytes, &query), 0);
        assert_true(answer.has_text);
        if (at == 1100)
            at = 3900;
    }
}

static void a_text_may_lie_across_chunks(void **state)
{
    static const char bytes[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "3\r\nnee\r\n1\r\nd\r\n2\r\nle\r\n0\r\n\r\n";
    struct http_query query = { .text = "needle" };

    (void)state;
    assert_int_equal(receive(bytes, strlen(bytes), &query), 0);
    assert_true(answer.has_text);
    query.text = "needles";
    assert_int_equal(receive(bytes, strlen(bytes), &query), 0);
    assert_false(answer.has_text);
    query.text = "";
    assert_int_equal(receive(bytes, strlen(bytes), &query), 0);
    assert_true(answer.has_text);
}

static void chosen_headers_are_copied(void **state)
{
    static const char bytes[] = "HTTP/1.1 200 OK\r\nx-RELEASE:  3f2a9c1 \r\n"
                                "Cache-Control: no-store\r\nCache-Control: private\r\n\r\n";
    const struct http_query query = { .headers = { "X-Release", "Cache-Control", "Age" } };

    (void)state;
    assert_int_equal(receive(bytes, strlen(bytes), &query), 0);
    assert_string_equal(answer.values[0], "3f2a9c1");
    assert_string_equal(answer.values[1], "no-store, private");
    assert_string_equal(answer.values[2], "");
}

static void a_head_of_any_length_costs_a_fixed_buffer(void **state)
{
    static char bytes[60000];
    const struct http_query query = { .headers = { "Long" } };
    int length = snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\nLong: ");

    (void)state;
    memset(bytes + length, 'v', sizeof bytes - (size_t)length);
    memcpy(bytes + sizeof bytes - 4, "\r\n\r\n", 4);
    assert_int_equal(receive(bytes, sizeof bytes, &query), 0);
    assert_int_equal(strlen(answer.values[0]), HTTP_VALUE_SIZE - 1);
    length = snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\n");
    for (size_t at = (size_t)length; at + 4 < sizeof bytes; at += 4)
        memcpy(bytes + at, "a:\r\n", 4);
    assert_int_equal(receive(bytes, sizeof bytes, &query), -1);
    assert_non_null(strstr(fault_line(&why, 0), "more than"));
}

static void no_more_is_read_than_is_needed(void **state)
{
    static char bytes[4000] = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
    const struct http_query query = { 0 };
    int ends[2];

    (void)state;
    fault_clear(&why);
    memset(bytes + strlen(bytes), 'x', sizeof bytes - strlen(bytes));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(write(ends[1], bytes, sizeof bytes), sizeof bytes);
    wire_open(&wire, ends[0], clock_ms() + 2000);
    assert_int_equal(http_receive(&wire, &query, &answer, &why), 0);
    assert_int_equal(answer.body_size, HTTP_BODY_SIZE - 1);
    wire_close(&wire);
    close(ends[1]);
}

static void urls_that_could_smuggle_are_refused(void **state)
{
    static const struct {
        const char *url;
        const char *fault;
    } rows[] = {
        { "http://box/healthz?x=1", NULL },
        { "http://[::1]:8000", NULL },
        { "http+unix:///run/app.sock?path=/healthz", NULL },
        { "http+unix:/run/app.sock", NULL },
        { "http+unix:///run/app.sock?path=/a%0d%0aX:1", "blank" },
        { "http+unix:///run/app.sock?path=healthz", "begins with /" },
        { "http://box/a b", "blank" },
        { "http://a%0ab/", "blank" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct url url;
        fault_clear(&why);
        assert_int_equal(url_parse(rows[i].url, &url, &why), 0);
        const struct http_query query = { .url = &url };
        assert_int_equal(http_check(&query, &why), rows[i].fault ? -1 : 0);
        if (rows[i].fault)
            assert_non_null(strstr(fault_line(&why, 0), rows[i].fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_is_an_answer),
        cmocka_unit_test(what_is_no_answer_is_refused_with_the_reason),
        cmocka_unit_test(bodies_of_every_kind_are_read),
        cmocka_unit_test(a_text_is_found_wherever_it_lies),
        cmocka_unit_test(a_text_may_lie_across_chunks),
        cmocka_unit_test(chosen_headers_are_copied),
        cmocka_unit_test(a_head_of_any_length_costs_a_fixed_buffer),
        cmocka_unit_test(no_more_is_read_than_is_needed),
        cmocka_unit_test(urls_that_could_smuggle_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
