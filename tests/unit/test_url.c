/* URLs, and what of them may be printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/url.h"

static struct fault why;

static void urls_come_apart(void **state)
{
    static const struct {
        const char *text;
        const char *host;
        int port;
        const char *path;
        const char *shown;
    } rows[] = {
        { "tcp://db:5432", "db", 5432, "", "tcp://db:5432" },
        { "redis://redis/1", "redis", 6379, "/1", "redis://redis:6379/1" },
        { "REDIS://redis", "redis", 6379, "", "redis://redis:6379" },
        { "http://[::1]:8000/healthz?a=1", "::1", 8000, "/healthz", "http://[::1]:8000/healthz" },
        { "http://[::1]/x", "::1", 80, "/x", "http://[::1]:80/x" },
        { "postgres://u:p%40w@db/name", "db", 5432, "/name", "postgres://db:5432/name" },
        { "redis://:pw@cache:7000/0", "cache", 7000, "/0", "redis://cache:7000/0" },
        { "unix:/run/app.sock", "", 0, "/run/app.sock", "unix:/run/app.sock" },
        { "unix:///run/app.sock", "", 0, "/run/app.sock", "unix:/run/app.sock" },
        { "redis+unix:///run/redis.sock?db=1", "", 0, "/run/redis.sock",
          "redis+unix:/run/redis.sock" },
        { "file:/tmp/ready", "", 0, "/tmp/ready", "file:/tmp/ready" },
    };
    struct url url;
    char shown[URL_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        fault_clear(&why);
        assert_int_equal(url_parse(rows[i].text, &url, &why), 0);
        assert_string_equal(url.host, rows[i].host);
        assert_int_equal(url.port, rows[i].port);
        assert_string_equal(url.path, rows[i].path);
        assert_string_equal(url_public(&url, shown, sizeof shown), rows[i].shown);
    }
}

static void broken_urls_are_refused_without_their_secrets(void **state)
{
    static const char *const rows[] = {
        "",
        "redis",
        "redis:cache",
        "tcp://db",
        "tcp://:1",
        "tcp://a:0",
        "tcp://a:65536",
        "tcp://a:1x",
        "ftp://x",
        "unix:run",
        "redis://u:s3cret%@db",
        "redis://u:s3cret%zz@db",
        "redis//u:s3cret@db",
        "http://u:s3cret@",
        "rediss://u:s3cret@db",
        "https://u:s3cret@db",
        "http://a%00b/",
    };
    struct url url;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        fault_clear(&why);
        assert_int_equal(url_parse(rows[i], &url, &why), -1);
        assert_int_equal(why.count, 1);
        assert_null(strstr(fault_line(&why, 0), "s3cret"));
    }
}

static void secrets_are_decoded_for_those_who_need_them(void **state)
{
    struct url url;
    char value[16];

    (void)state;
    fault_clear(&why);
    assert_int_equal(url_parse("redis://us%3Aer:p%40w@db/1?a=1&db=7&c", &url, &why), 0);
    assert_string_equal(url.user, "us:er");
    assert_string_equal(url.password, "p@w");
    assert_true(url_query(&url, "db", value, sizeof value));
    assert_string_equal(value, "7");
    assert_false(url_query(&url, "d", value, sizeof value));
    assert_false(url_query(&url, "c", value, sizeof value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_come_apart),
        cmocka_unit_test(broken_urls_are_refused_without_their_secrets),
        cmocka_unit_test(secrets_are_decoded_for_those_who_need_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
