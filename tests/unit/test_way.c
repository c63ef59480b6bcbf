/* Which reload keeps no old code? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "planned.h"
#include "server/way.h"

static struct planned made;

static const struct profile *plan_for(const char *command, const char *keys, char **environment)
{
    char text[600];

    snprintf(text, sizeof text, "[server]\ncommand = %s\n%s", command, keys);
    planned_make(&made, text, NO_WORDS, environment);
    assert_int_equal(made.why.count, 0);
    return profiles_find(made.plan->server.kind, &made.plan->server.command);
}

static enum reload choose(const char *command, const char *keys, char **environment)
{
    const struct profile *profile = plan_for(command, keys, environment);
    enum reload way = RELOAD_AUTO;
    const char *reason = NULL;

    assert_int_equal(way_choose(made.plan, profile, &way, &reason, &made.why), 0);
    assert_non_null(reason);
    return way;
}

static void the_way_is_the_one_that_keeps_no_old_code(void **state)
{
    static const struct {
        const char *command, *keys;
        enum reload wanted;
    } rows[] = {
        { "gunicorn a:a", "", RELOAD_SIGNAL },
        { "gunicorn a:a", "listen = :80\n", RELOAD_HANDOVER },
        { "gunicorn a:a --preload", "", RELOAD_RESTART },
        { "gunicorn a:a --preload", "reload = signal\n", RELOAD_SIGNAL },
        { "uvicorn a:a", "", RELOAD_RESTART },
        { "uvicorn a:a --workers 4", "", RELOAD_RESTART },
        { "uvicorn a:a", "listen = :80\n", RELOAD_HANDOVER },
        { "uvicorn a:a", "listen = :80\nreload = none\n", RELOAD_NONE },
        { "hypercorn a:a", "", RELOAD_RESTART },
        { "granian a:a", "", RELOAD_RESTART },
        { "node a.js", "", RELOAD_NONE },
        { "node a.js", "listen = :80\n", RELOAD_HANDOVER },
        { "node a.js", "reload = restart\n", RELOAD_RESTART },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (choose(rows[i].command, rows[i].keys, NO_WORDS) != rows[i].wanted)
            fail_msg("row %zu: %s", i, rows[i].command);
    assert_int_equal(choose("gunicorn a:a", "", WORDS("GUNICORN_CMD_ARGS=--preload")),
                     RELOAD_RESTART);
}

static void a_configuration_that_loads_the_application_is_seen(void **state)
{
    static const struct {
        const char *command, *config;
        enum reload wanted;
    } rows[] = {
        { "gunicorn shop:app", "import shop\n", RELOAD_RESTART },
        { "gunicorn shop:app --bind 0.0.0.0:8000", "from shop import app\n", RELOAD_RESTART },
        { "gunicorn -w 2 shop.wsgi", "workers = 2\nimport shop.settings\n", RELOAD_RESTART },
        { "gunicorn shop", "import shop", RELOAD_RESTART },
        { "gunicorn shop:app", "    from shop.models import x\n", RELOAD_RESTART },
        { "gunicorn shop:app", "preload_app = True\n", RELOAD_RESTART },
        { "gunicorn shop:app", "preload_app = False\n", RELOAD_SIGNAL },
        { "gunicorn shop:app", "import os\nfrom shopping import x\n", RELOAD_SIGNAL },
        { "gunicorn shop:app", "# import shop\n", RELOAD_SIGNAL },
        { "gunicorn shop:app", "from . import x\n", RELOAD_SIGNAL },
        { "gunicorn shop:app", "", RELOAD_SIGNAL },
        { "gunicorn shop:app -c other.py", "import shop\n", RELOAD_SIGNAL },
        { "gunicorn shop:app --config=file:gunicorn.conf.py", "import shop\n", RELOAD_RESTART },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        planned_write("gunicorn.conf.py", rows[i].config, strlen(rows[i].config));
        if (choose(rows[i].command, "", NO_WORDS) != rows[i].wanted)
            fail_msg("row %zu: %s", i, rows[i].command);
    }
    (void)unlink("gunicorn.conf.py");
}

static void what_was_asked_for_and_can_not_be_is_a_fault(void **state)
{
    static const struct {
        const char *command, *keys, *wanted;
    } rows[] = {
        { "gunicorn a:a", "reload = handover\n", "handover needs listen" },
        { "granian a:a", "reload = signal\n", "granian does not reload by HUP" },
        { "node a.js", "reload = signal\n", "generic does not reload by HUP" },
    };
    enum reload way;
    const char *reason;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct profile *profile = plan_for(rows[i].command, rows[i].keys, NO_WORDS);
        assert_int_equal(way_choose(made.plan, profile, &way, &reason, &made.why), -1);
        assert_true(planned_has_fault(&made.why, rows[i].wanted));
    }
}

static void only_a_single_uvicorn_is_recycled_by_freshinit(void **state)
{
    static const struct {
        const char *command, *keys;
        bool wanted;
    } rows[] = {
        { "uvicorn a:a", "max_requests = 9\n", true },
        { "uvicorn a:a", "", false },
        { "uvicorn a:a --workers 2", "max_requests = 9\n", false },
        { "gunicorn a:a", "max_requests = 9\n", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct profile *profile = plan_for(rows[i].command, rows[i].keys, NO_WORDS);
        assert_int_equal(way_recycles(made.plan, profile), rows[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_is_the_one_that_keeps_no_old_code),
        cmocka_unit_test(a_configuration_that_loads_the_application_is_seen),
        cmocka_unit_test(what_was_asked_for_and_can_not_be_is_a_fault),
        cmocka_unit_test(only_a_single_uvicorn_is_recycled_by_freshinit),
    };

    return cmocka_run_group_tests(tests, planned_setup, planned_teardown);
}
