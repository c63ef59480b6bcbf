/* FRESHINIT_* variables, and the environment of children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan/env.h"
#include "planned.h"

static struct planned made;

static void variables_win_over_the_file(void **state)
{
    (void)state;
    planned_make(&made,
                 "[freshinit]\nlog = human\n[server]\numask = 077\nstop_timeout = 9s\n"
                 "[stage django-cache]\nwait = tcp://a:1\ntimeout = 1s\n"
                 "[env]\nCACHE = file\n",
                 WORDS("x"),
                 WORDS("FRESHINIT_LOG=json", "FRESHINIT_SERVER_UMASK=027",
                       "FRESHINIT_SERVER_STOP_TIMEOUT=20s", "FRESHINIT_ENV_CACHE=variable",
                       "FRESHINIT_STAGE_DJANGO_CACHE_TIMEOUT=2s",
                       "FRESHINIT_STAGE_DJANGO_CACHE_ON_ERROR=fail", "FRESHINIT_RELEASE=r7"));
    assert_int_equal(made.why.count, 0);
    assert_int_equal(made.plan->log, LOG_FORMAT_JSON);
    assert_int_equal(made.plan->server.umask, 027);
    assert_int_equal(made.plan->server.stop_timeout_ms, 20000);
    assert_int_equal(planned_stage(&made, "django-cache")->timeout_ms, 2000);
    assert_int_equal(planned_stage(&made, "django-cache")->on_error, ON_ERROR_FAIL);
    assert_string_equal(made.plan->env[0].value, "variable");
    assert_string_equal(made.plan->release, "r7");
    assert_string_equal(made.plan->release_from, "FRESHINIT_RELEASE");
}

static void a_bad_variable_is_a_fault_that_names_it(void **state)
{
    (void)state;
    planned_make(&made, "", WORDS("x"), WORDS("FRESHINIT_LOG=jsn"));
    assert_true(planned_has_fault(&made.why, "FRESHINIT_LOG: log \"jsn\" is none of"));
}

static void only_names_that_are_no_key_are_strays(void **state)
{
    struct strays strays;

    (void)state;
    planned_make(&made, "[stage port]\nfree = tcp://a:1\n", WORDS("x"), NO_WORDS);
    env_read(made.plan,
             WORDS("FRESHINIT_PORT=tcp://10.0.0.1:80", "FRESHINIT_SERVICE_HOST=10.0.0.1",
                   "FRESHINIT_SERVICE_PORT=80", "FRESHINIT_SERVICE_PORT_HTTP=80",
                   "FRESHINIT_WEB_PORT_80_TCP=tcp://10.0.0.1:80",
                   "FRESHINIT_WEB_PORT_80_TCP_ADDR=10.0.0.1", "FRESHINIT_WEB_PORT_80_TCP_PROTO=tcp",
                   "FRESHINIT_CONFIG=x", "FRESHINIT_STAGE_PORT_FREE=tcp://b:2", "OTHER=1",
                   "FRESHINIT_LOGG=1", "FRESHINIT_STAGE_POT_FREE=x", "FRESHINIT_SERVER_UMASK2=1"),
             &strays);
    assert_int_equal(strays.count, 3);
    assert_string_equal(strays.names[0], "FRESHINIT_LOGG");
    assert_string_equal(strays.names[1], "FRESHINIT_STAGE_POT_FREE");
    assert_string_equal(strays.names[2], "FRESHINIT_SERVER_UMASK2");
    /* It has the shape of a link, but a key it is. */
    assert_int_equal(planned_stage(&made, "port")->sources[5].kind, SOURCE_ENV);
}

static void tini_reads_its_own(void **state)
{
    struct init_plan init = { 0 };
    int verbosity = 1;

    (void)state;
    env_tini(&init, &verbosity, WORDS("TINI_SUBREAPER=", "TINI_VERBOSITY=3"));
    assert_true(init.subreaper);
    assert_false(init.group);
    assert_int_equal(verbosity, 3);
    env_tini(&init, &verbosity, WORDS("TINI_KILL_PROCESS_GROUP=1", "TINI_VERBOSITY=x"));
    assert_true(init.group);
    assert_int_equal(verbosity, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_win_over_the_file),
        cmocka_unit_test(a_bad_variable_is_a_fault_that_names_it),
        cmocka_unit_test(only_names_that_are_no_key_are_strays),
        cmocka_unit_test(tini_reads_its_own),
    };

    return cmocka_run_group_tests(tests, planned_setup, planned_teardown);
}
