/* Whom to ask, and what is read out of an answer's JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "cmd/answer.h"

static struct fault why;

static void a_name_in_json_has_its_value_or_none(void **state)
{
    static const struct {
        const char *text;
        const char *value; /* NULL: none */
    } rows[] = {
        { "{\"release\":\"3f2a9c1\"}", "3f2a9c1" },
        { "{ \"release\" : \"3f2a9c1\" }", "3f2a9c1" },
        { "{\"app\":{\"release\":42}}", "42" },
        { "{\"x\":\"release\",\"release\":\"y\"}", "y" },
        { "{\"release\":\"\"}", "" },
        { "{\"release\":\"cut", NULL },
        { "{\"release\":12", NULL },
        { "{\"release\":\"a\\u0041\"}", NULL },
        { "{\"release\":}", NULL },
        { "{\"release\"}", NULL },
        { "{\"released\":\"x\"}", NULL },
        { "\"release", NULL },
        { "", NULL },
    };
    char out[32];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool found = answer_json(rows[i].text, "release", out, sizeof out);
        assert_int_equal(found, rows[i].value != NULL);
        if (found)
            assert_string_equal(out, rows[i].value);
    }
}

static void a_value_that_does_not_fit_is_none(void **state)
{
    char out[4];

    (void)state;
    assert_false(answer_json("{\"release\":\"12345\"}", "release", out, sizeof out));
}

static void the_first_that_is_written_is_asked(void **state)
{
    static char any[] = "0.0.0.0:80";
    static char six[] = "[::]:8000";
    static char path[] = "unix:/run/app.sock";
    static const struct {
        const char *word;
        const char *url;
        const char *ready;
        char *listen;
        const char *name; /* NULL: a fault */
    } rows[] = {
        { "http://a/1", "http://b/2", "http://c/3", any, "http://a:80/1" },
        { NULL, "http://b/2", "http://c/3", any, "http://b:80/2" },
        { NULL, NULL, "http://c/3", any, "http://c:80/3" },
        { NULL, NULL, "5s", any, "http://127.0.0.1:80" },
        { NULL, NULL, NULL, six, "http://[::1]:8000" },
        { NULL, NULL, NULL, path, "http+unix:/run/app.sock" },
        { NULL, NULL, "5s", NULL, NULL },
        { "https://a/", NULL, NULL, NULL, NULL },
        { "gopher://a/", NULL, NULL, NULL, NULL },
    };
    static struct plan plan;
    struct answer_target target;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *items[] = { rows[i].listen, NULL };
        plan.health.url = rows[i].url;
        plan.server.ready = rows[i].ready;
        plan.server.listen = (struct words){ .items = items, .count = rows[i].listen != NULL };
        fault_clear(&why);
        int result = answer_target(&plan, rows[i].word, &target, &why);
        assert_int_equal(result, rows[i].name ? 0 : -1);
        if (rows[i].name)
            assert_string_equal(target.name, rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_in_json_has_its_value_or_none),
        cmocka_unit_test(a_value_that_does_not_fit_is_none),
        cmocka_unit_test(the_first_that_is_written_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
