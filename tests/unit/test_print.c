/* The plan as it is printed: no secret in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sys/mman.h>

#include "plan/print.h"
#include "planned.h"

static struct planned made;
static char page[32 * 1024];

static const char *printed(void)
{
    int fd = memfd_create("page", MFD_CLOEXEC);

    assert_int_equal(print_plan(made.plan, fd), 0);
    ssize_t length = pread(fd, page, sizeof page - 1, 0);
    assert_true(length > 0);
    page[length] = '\0';
    close(fd);
    return page;
}

/* Is there a row of these three parts, with any spaces between them? */
static bool has_row(const char *name, const char *value, const char *place)
{
    char wanted[512];
    char line[1024];

    snprintf(wanted, sizeof wanted, "%s = %s ; %s", name, value, place);
    for (const char *next = page; *next != '\0'; next += strcspn(next, "\n") + 1) {
        size_t used = 0;
        for (const char *c = next; *c != '\n' && *c != '\0'; c++)
            if (used + 1 < sizeof line && (*c != ' ' || (used > 0 && line[used - 1] != ' ')))
                line[used++] = *c;
        line[used] = '\0';
        if (strcmp(line, wanted) == 0)
            return true;
    }
    print_message("looked for: %s\n%s", wanted, page);
    return false;
}

static void urls_lose_their_secrets(void **state)
{
    static const struct {
        const char *text;
        const char *masked;
    } rows[] = {
        { "", "" },
        { "plain @ text?", "plain @ text?" },
        { "tcp://a:1 tcp://b:2", "tcp://a:1 tcp://b:2" },
        { "redis://u:p@h:1/2", "redis://***@h:1/2" },
        { "redis://:p@ss@h", "redis://***@h" },
        { "a redis+unix://:p@/run/s?db=1&password=p b", "a redis+unix://***@/run/s?*** b" },
        { "http://h/?token=x http://u@h", "http://h/?*** http://***@h" },
        { "'http://h/?token=x' y?", "'http://h/?***' y?" },
        { "http://h?to=a@b", "http://h?***" },
    };
    char out[256];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(print_masked(rows[i].text, out, sizeof out), rows[i].masked);
    for (size_t size = 1; size < 40; size++)
        assert_true(strlen(print_masked("x redis://user:pw@h/?a=b x", out, size)) < size);
}

static void each_value_has_its_source(void **state)
{
    (void)state;
    planned_make(&made,
                 "[freshinit]\nrelease = ${GIT:-}\n[env]\nA = ${GIT}\n"
                 "[stage w]\nwait = redis://:${PASSWORD}@r\n"
                 "[stage r]\nrun = migrate --token ${PASSWORD}\n"
                 "[server]\ndrain = 1s\n",
                 WORDS("--set", "server.umask=027", "--user=5", "gunicorn", "my app", "-w4"),
                 WORDS("GIT=abc", "PASSWORD=hunter2", "FRESHINIT_LOG=json"));
    assert_int_equal(made.why.count, 0);
    printed();
    assert_null(strstr(page, "hunter2"));
    assert_non_null(strstr(page, "; release abc, from GIT\n"));
    assert_true(has_row("release", "abc", "t.ini:2"));
    assert_true(has_row("log", "json", "FRESHINIT_LOG"));
    assert_true(has_row("log_level", "info", "default"));
    assert_true(has_row("A", "${GIT}", "t.ini:4"));
    assert_true(has_row("wait", "redis://***@r", "t.ini:6"));
    assert_true(has_row("run", "migrate --token ${PASSWORD}", "t.ini:8"));
    assert_true(has_row("command", "gunicorn \"my app\" -w4", "command line"));
    assert_true(has_row("umask", "027", "--set"));
    assert_true(has_row("user", "5", "--user"));
    assert_true(has_row("no_new_privs", "yes", "default"));
    assert_true(has_row("stop_timeout", "8s", "default"));
    assert_non_null(strstr(page, "; a stop takes at most 8s: drain 1s, then 7s for all to end\n"));
    /* A key of another action is no part of it. */
    assert_null(strstr(strstr(page, "[stage w]"), "sourceless"));
}

/* What is printed is a configuration, and it makes the same plan. */
static void a_printed_plan_can_be_read_again(void **state)
{
    static char first[sizeof page];

    (void)state;
    planned_make(&made,
                 "[stage b]\nclear = bytecode\nwhen = build\ntargets = a\n[stage w]\n"
                 "wait = tcp://a:1\n[server]\nuser = 1\ncapabilities =\ncommand = a \"b c\"\n",
                 WORDS("check"), NO_WORDS);
    memcpy(first, printed(), sizeof first);
    planned_make(&made, first, WORDS("check"), NO_WORDS);
    assert_int_equal(made.why.count, 0);
    assert_int_equal(made.plan->stage_count, 2);
    assert_string_equal(made.plan->server.command.items[1], "b c");
    assert_true(made.plan->server.has_capabilities);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_lose_their_secrets),
        cmocka_unit_test(each_value_has_its_source),
        cmocka_unit_test(a_printed_plan_can_be_read_again),
    };

    return cmocka_run_group_tests(tests, planned_setup, planned_teardown);
}
