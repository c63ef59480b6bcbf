/* Faults are collected whole, and never overrun. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/exitcode.h"
#include "base/fault.h"

static struct fault why;

static void lines_are_kept_in_their_order(void **state)
{
    (void)state;
    fault_clear(&why);
    assert_null(fault_line(&why, 0));
    assert_int_equal(fault_set(&why, "first %d", 1), -1);
    errno = ENOENT;
    assert_int_equal(fault_errno(&why, "open %s", "x"), -1);
    assert_string_equal(fault_line(&why, 0), "first 1");
    assert_string_equal(fault_line(&why, 1), "open x: No such file or directory");
    assert_null(fault_line(&why, 2));
    assert_int_equal(why.exit_code, EXIT_OURS);
}

static void more_than_fits_is_counted(void **state)
{
    char longest[2000];

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    fault_clear(&why);
    for (int i = 0; i < 40; i++)
        fault_set(&why, "%s", longest);
    assert_int_equal(why.count, 40);
    assert_in_range(why.kept, 3, FAULT_LINES_MAX);
    fault_clear(&why);
    for (int i = 0; i < 40; i++)
        fault_set(&why, "line %d", i);
    assert_int_equal(why.kept, FAULT_LINES_MAX);
    assert_string_equal(fault_line(&why, 15), "line 15");
}

static void what_a_terminal_obeys_is_escaped(void **state)
{
    (void)state;
    fault_clear(&why);
    fault_set(&why, "bad \033[2J name\n");
    assert_string_equal(fault_line(&why, 0), "bad \\x1b[2J name\\x0a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_kept_in_their_order),
        cmocka_unit_test(more_than_fits_is_counted),
        cmocka_unit_test(what_a_terminal_obeys_is_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
