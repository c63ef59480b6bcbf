/* What children find in their environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan/expand.h"
#include "planned.h"

static struct planned made;

static const char *value(const char *name)
{
    return expand_lookup(made.plan->environment, name, strlen(name));
}

static size_t count(void)
{
    size_t found = 0;

    while (made.plan->environment[found])
        found++;
    return found;
}

static void env_is_added_and_strays_are_dropped(void **state)
{
    (void)state;
    planned_make(&made,
                 "[freshinit]\nrelease = r1\n"
                 "[env]\nA = new\nB = ${A}-${FRESHINIT_RELEASE}\nE =\n",
                 WORDS("x"),
                 WORDS("A=old", "KEEP=1", "GUNICORN_PID=7", "GUNICORN_FD=3", "GUNICORN_PIDX=1",
                       "FRESHINIT_RELEASE=r0", "FRESHINIT_LOG=json"));
    assert_int_equal(made.why.count, 0);
    assert_string_equal(value("A"), "new");
    assert_string_equal(value("B"), "old-r0");
    assert_string_equal(value("E"), "");
    assert_string_equal(value("KEEP"), "1");
    assert_string_equal(value("FRESHINIT_LOG"), "json");
    /* The variable wins over the file, and both are one. */
    assert_string_equal(value("FRESHINIT_RELEASE"), "r0");
    assert_string_equal(value("GUNICORN_PIDX"), "1");
    assert_null(value("GUNICORN_PID"));
    assert_null(value("GUNICORN_FD"));
    assert_int_equal(count(), 7);
}

static void a_known_release_is_told_to_children(void **state)
{
    (void)state;
    planned_make(&made, "[freshinit]\nrelease = ${GIT:-}\n", WORDS("x"), WORDS("GIT=abc"));
    assert_string_equal(value("FRESHINIT_RELEASE"), "abc");
    assert_string_equal(made.plan->release_from, "GIT");
    planned_make(&made, "[freshinit]\nrelease = ${GIT:-}\n", WORDS("x"), NO_WORDS);
    assert_null(value("FRESHINIT_RELEASE"));
    assert_string_equal(made.plan->release, "");
    assert_null(made.plan->release_from);
}

static void a_secret_takes_the_place_of_its_file(void **state)
{
    static const char text[] = "[freshinit]\nsecrets = yes\n[env]\nKEY_FILE = ${PWD}/secret\n";
    char folder[128];
    char folder_is[160];

    (void)state;
    assert_non_null(getcwd(folder, sizeof folder));
    snprintf(folder_is, sizeof folder_is, "PWD=%s", folder);
    planned_write("secret", "s3cr\nt\r\n\n", 9);
    planned_make(&made, text, WORDS("x"),
                 WORDS(folder_is, "A_FILE=relative", "_FILE=/x", "SSL_CERT_FILE=/nonexistent",
                       "FRESHINIT_RELEASE_FILE=/nonexistent"));
    assert_true(planned_has_fault(&made.why, "release_file /nonexistent"));
    assert_int_equal(made.why.count, 1);
    assert_string_equal(value("KEY"), "s3cr\nt");
    assert_null(value("KEY_FILE"));
    assert_string_equal(value("A_FILE"), "relative");
    assert_string_equal(value("SSL_CERT_FILE"), "/nonexistent");
    /* Without the key nothing of that happens. */
    planned_make(&made, "[env]\nKEY_FILE = ${PWD}/secret\n", WORDS("x"), WORDS(folder_is));
    assert_null(value("KEY"));
    unlink("secret");
}

static void a_secret_that_is_wrong_is_a_fault_without_its_value(void **state)
{
    static char big[20000];
    char *rows[][3] = {
        { (char[]){ "S_FILE=/nonexistent" }, (char[]){ "x" },
          (char[]){ "S_FILE: /nonexistent: No" } },
        { (char[]){ "S_FILE=/dev/null" }, (char[]){ "S=hidden" },
          (char[]){ "S and S_FILE are both set" } },
        { (char[]){ "S_FILE=/proc/self/environ" }, (char[]){ "x" }, (char[]){ "S_FILE: /proc" } },
    };

    (void)state;
    memset(big, 'x', sizeof big);
    for (size_t i = 0; i < COUNT(rows); i++) {
        planned_make(&made, "[freshinit]\nsecrets = yes\n", WORDS("x"),
                     WORDS(rows[i][0], rows[i][1]));
        assert_int_equal(made.why.count, 1);
        assert_true(planned_has_fault(&made.why, rows[i][2]));
        assert_false(strstr(fault_line(&made.why, 0), "hidden"));
    }
    /* At build time the secrets are not there yet. */
    planned_make(&made, "[freshinit]\nsecrets = yes\n", WORDS("clean"),
                 WORDS("S_FILE=/nonexistent"));
    assert_int_equal(made.why.count, 0);
    assert_string_equal(value("S_FILE"), "/nonexistent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(env_is_added_and_strays_are_dropped),
        cmocka_unit_test(a_known_release_is_told_to_children),
        cmocka_unit_test(a_secret_takes_the_place_of_its_file),
        cmocka_unit_test(a_secret_that_is_wrong_is_a_fault_without_its_value),
    };

    return cmocka_run_group_tests(tests, planned_setup, planned_teardown);
}
