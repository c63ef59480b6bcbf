/* Sockets and limits in each server's own words; what the user wrote wins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan/environ.h"
#include "planned.h"
#include "server/adapt.h"
#include "server/profiles.h"

static struct planned made;

/* The plan of a command and further lines of [server], adapted. */
static int adapt(const char *command, const char *keys, char **environment)
{
    char text[600];

    snprintf(text, sizeof text, "[server]\ncommand = %s\n%s", command, keys);
    planned_make(&made, text, NO_WORDS, environment);
    assert_int_equal(made.why.count, 0);
    return adapt_plan(made.plan, profiles_find(made.plan->server.kind, &made.plan->server.command),
                      &made.why);
}

static const char *joined(void)
{
    static char text[600];

    text[0] = '\0';
    for (size_t i = 0; i < made.plan->server.command.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "",
                 made.plan->server.command.items[i]);
    return text;
}

static void each_server_is_told_in_its_own_words(void **state)
{
    static const struct {
        const char *command, *keys, *variable, *wanted;
    } rows[] = {
        { "gunicorn a:a", "listen = :80\n", "GUNICORN_CMD_ARGS", "--bind fd://3" },
        { "gunicorn a:a", "listen = :80 :81\n", "GUNICORN_CMD_ARGS",
          "--bind fd://3 --bind fd://4" },
        { "gunicorn a:a", "listen = unix:/s :81\n", "LISTEN_FDS", "2" },
        { "gunicorn a:a", "max_requests = 9\nmax_requests_jitter = 2\n", "GUNICORN_CMD_ARGS",
          "--max-requests 9 --max-requests-jitter 2" },
        { "gunicorn a:a", "listen = :80\nmax_requests = 9\n", "GUNICORN_CMD_ARGS",
          "--bind fd://3 --max-requests 9 --max-requests-jitter 0" },
        { "gunicorn a:a --max-requests=5", "max_requests = 9\n", "GUNICORN_CMD_ARGS", NULL },
        { "uvicorn a:a", "listen = :80\n", "UVICORN_FD", "3" },
        { "uvicorn a:a", "max_requests = 9\n", "UVICORN_LIMIT_MAX_REQUESTS", "9" },
        { "uvicorn a:a --limit-max-requests 5", "max_requests = 9\n", "UVICORN_LIMIT_MAX_REQUESTS",
          NULL },
        { "node a.js", "listen = :80\n", "LISTEN_FDS", "1" },
        { "node a.js", "listen = :80\n", "LISTEN_PID", "self" },
        { "node a.js", "", "LISTEN_FDS", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(adapt(rows[i].command, rows[i].keys, NO_WORDS), 0);
        const char *value = environ_get(made.plan, rows[i].variable);
        if (rows[i].wanted)
            assert_string_equal(value, rows[i].wanted);
        else
            assert_null(value);
        assert_int_equal(made.plan->added_count > 0, rows[i].wanted != NULL);
    }
}

static void hypercorn_is_told_by_more_words(void **state)
{
    (void)state;
    assert_int_equal(adapt("hypercorn a:a", "listen = :80 [::]:80\nmax_requests = 9\n", NO_WORDS),
                     0);
    assert_string_equal(joined(), "hypercorn a:a --bind fd://3 --bind fd://4 --max-requests 9 "
                                  "--max-requests-jitter 0");
}

static void what_is_in_the_variable_already_stays(void **state)
{
    (void)state;
    assert_int_equal(adapt("gunicorn a:a", "listen = :80\n", WORDS("GUNICORN_CMD_ARGS=-w 3")), 0);
    assert_string_equal(environ_get(made.plan, "GUNICORN_CMD_ARGS"), "-w 3 --bind fd://3");
}

static void what_can_not_be_is_a_fault(void **state)
{
    static const struct {
        const char *command, *keys, *wanted;
    } rows[] = {
        { "gunicorn a:a --bind :90", "listen = :80\n", "the command has --bind itself" },
        { "gunicorn a:a -b :90", "listen = :80\n", "the command has -b itself" },
        { "gunicorn a:a -b127.0.0.1:90", "listen = :80\n", "the command has -b itself" },
        { "gunicorn a:a --pid=/p", "listen = :80\n", "the command has --pid itself" },
        { "uvicorn a:a --port 90", "listen = :80\n", "the command has --port itself" },
        { "uvicorn a:a", "listen = :80 :81\n", "uvicorn takes one address only" },
        { "granian a:a", "listen = :80\n", "granian can't take a listening socket" },
        { "granian a:a", "max_requests = 9\n", "granian has no such limit" },
        { "node a.js", "max_requests = 9\n", "generic has no such limit" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(adapt(rows[i].command, rows[i].keys, NO_WORDS), -1);
        assert_true(planned_has_fault(&made.why, rows[i].wanted));
    }
}

static void workers_are_counted_where_they_are_said(void **state)
{
    static const struct {
        const char *command, *variable;
        int wanted;
    } rows[] = {
        { "gunicorn a:a", NULL, 1 },
        { "gunicorn a:a -w 3", NULL, 3 },
        { "gunicorn a:a --workers=4", "WEB_CONCURRENCY=9", 4 },
        { "uvicorn a:a", "WEB_CONCURRENCY=5", 5 },
        { "uvicorn a:a --workers", NULL, 1 },
        { "uvicorn a:a --workers many", NULL, 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *variable = (char *)(uintptr_t)rows[i].variable;
        assert_int_equal(adapt(rows[i].command, "", WORDS(variable)), 0);
        assert_int_equal(adapt_workers(made.plan), rows[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_is_told_in_its_own_words),
        cmocka_unit_test(hypercorn_is_told_by_more_words),
        cmocka_unit_test(what_is_in_the_variable_already_stays),
        cmocka_unit_test(what_can_not_be_is_a_fault),
        cmocka_unit_test(workers_are_counted_where_they_are_said),
    };

    return cmocka_run_group_tests(tests, planned_setup, planned_teardown);
}
