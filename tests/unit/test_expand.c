/* ${NAME} in values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan/expand.h"
#include "planned.h"

static struct fault why;

static void names_are_put_in(void **state)
{
    static const struct {
        const char *text;
        const char *value; /* NULL: a fault */
    } rows[] = {
        { "plain", "plain" },
        { "${A}", "one" },
        { "x${A}y${A}z", "xoneyonez" },
        { "${E}", "" },
        { "${E:-d}", "d" },
        { "${N:-d}", "d" },
        { "${N:-}", "" },
        { "${A:-d}", "one" },
        { "${N:-${A}}", "one" },
        { "${N:-a b}", "a b" },
        { "${N:-a}}", "a}" },
        { "$$", "$" },
        { "$${A}", "${A}" },
        { "$$$$", "$$" },
        { "$A $", "$A $" },
        { "${FRESHINIT_RELEASE}", "r1" },
        { "${N}", NULL },
        { "${", NULL },
        { "${A", NULL },
        { "${}", NULL },
        { "${A-b}", NULL },
        { "${A:b}", NULL },
        { "${1A}", NULL },
        { "${N:-${N}}", NULL },
        { "${N:-${N:-${N:-${N:-${N:-${N:-${N:-${N:-${N:-${N:-x}}}}}}}}}}", NULL },
    };
    char *environment[] = { (char[]){ "AB=no" }, (char[]){ "A=one" }, (char[]){ "E=" }, NULL };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct expand expand = { .environment = environment, .release = "r1" };
        const char *value = NULL;
        fault_clear(&why);
        assert_int_equal(arena_open(&why), 0);
        assert_int_equal(expand_text(&expand, rows[i].text, &value, &why), rows[i].value ? 0 : -1);
        if (rows[i].value)
            assert_string_equal(value, rows[i].value);
        assert_int_equal(why.count, rows[i].value ? 0 : 1);
    }
}

static void a_missing_name_is_told_with_the_way_out(void **state)
{
    struct expand expand = { .environment = NO_WORDS };
    const char *value;

    (void)state;
    fault_clear(&why);
    assert_int_equal(expand_text(&expand, "a ${NOPE} b", &value, &why), -1);
    assert_string_equal(fault_line(&why, 0),
                        "\"${NOPE}\" is not set; ${NOPE:-} stands for nothing then");
}

static void values_do_not_grow_without_limit(void **state)
{
    static char big[40 * 1024] = "BIG=";
    char *environment[] = { big, NULL };
    struct expand expand = { .environment = environment };
    const char *value;

    (void)state;
    memset(big + 4, 'x', sizeof big - 5);
    fault_clear(&why);
    assert_int_equal(arena_open(&why), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(expand_text(&expand, "${BIG}", &value, &why), 0);
    assert_int_equal(expand_text(&expand, "${BIG}", &value, &why), -1);
    assert_int_equal(expand_text(&expand, "${BIG}${BIG}${BIG}${BIG}", &value, &why), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_put_in),
        cmocka_unit_test(a_missing_name_is_told_with_the_way_out),
        cmocka_unit_test(values_do_not_grow_without_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
