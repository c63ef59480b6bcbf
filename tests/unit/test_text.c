/* Words to values and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/text.h"

enum { INVALID = -1 };

static struct fault why;

static void durations_are_read_or_refused(void **state)
{
    static const struct {
        const char *text;
        int64_t wanted_ms;
    } rows[] = { { "0", 0 },
                 { "30", 30000 },
                 { "500ms", 500 },
                 { "30s", 30000 },
                 { "5m", 300000 },
                 { "1h", 3600000 },
                 { "1m30s", 90000 },
                 { "1h30m", 5400000 },
                 { "1000h", 3600000000 },
                 { "1001h", INVALID },
                 { "", INVALID },
                 { "-1s", INVALID },
                 { "5x", INVALID },
                 { "s", INVALID },
                 { "1.5s", INVALID },
                 { "9999999999999999999s", INVALID },
                 { "5 s", INVALID } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t out = 77;
        fault_clear(&why);
        int result = text_duration(rows[i].text, &out, &why);
        assert_int_equal(result, rows[i].wanted_ms == INVALID ? -1 : 0);
        assert_int_equal(out, rows[i].wanted_ms == INVALID ? 77 : rows[i].wanted_ms);
        assert_int_equal(why.count, rows[i].wanted_ms == INVALID ? 1 : 0);
    }
}

static void sizes_are_read_or_refused(void **state)
{
    static const struct {
        const char *text;
        int64_t wanted;
    } rows[] = { { "0", 0 },          { "4096", 4096 },     { "64K", 65536 },
                 { "10M", 10485760 }, { "2G", 2147483648 }, { "2T", INVALID },
                 { "K", INVALID },    { "1KB", INVALID },   { "99999999999999", INVALID } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t out = 77;
        fault_clear(&why);
        assert_int_equal(text_size(rows[i].text, &out, &why), rows[i].wanted == INVALID ? -1 : 0);
        assert_int_equal(out, rows[i].wanted == INVALID ? 77 : rows[i].wanted);
    }
}

static void numbers_keep_to_their_limits(void **state)
{
    int64_t out = 0;

    (void)state;
    fault_clear(&why);
    assert_int_equal(text_number("255", 0, 255, &out, &why), 0);
    assert_int_equal(out, 255);
    assert_int_equal(text_number("256", 0, 255, &out, &why), -1);
    assert_int_equal(text_number("", 0, 255, &out, &why), -1);
    assert_int_equal(text_number("12a", 0, 255, &out, &why), -1);
    assert_int_equal(text_number("99999999999999999999", 0, INT64_MAX, &out, &why), -1);
}

static void yes_and_no_are_told_apart(void **state)
{
    bool out = false;
    unsigned mode = 0;

    (void)state;
    fault_clear(&why);
    assert_int_equal(text_bool("Yes", &out, &why), 0);
    assert_true(out);
    assert_int_equal(text_bool("off", &out, &why), 0);
    assert_false(out);
    assert_int_equal(text_bool("maybe", &out, &why), -1);
    assert_int_equal(text_mode("027", &mode, &why), 0);
    assert_int_equal(mode, 027);
    assert_int_equal(text_mode("0777", &mode, &why), 0);
    assert_int_equal(text_mode("1777", &mode, &why), -1);
    assert_int_equal(text_mode("8", &mode, &why), -1);
}

static void values_are_shown_for_people(void **state)
{
    char out[32];

    (void)state;
    assert_string_equal(text_show_ms(4, out, sizeof out), "4 ms");
    assert_string_equal(text_show_ms(1234, out, sizeof out), "1.2 s");
    assert_string_equal(text_show_ms(8000, out, sizeof out), "8 s");
    assert_string_equal(text_show_ms(61000, out, sizeof out), "1 min 1 s");
    assert_string_equal(text_show_bytes(0, out, sizeof out), "0 bytes");
    assert_string_equal(text_show_bytes(1023, out, sizeof out), "1023 bytes");
    assert_string_equal(text_show_bytes(31 * 1024, out, sizeof out), "31 KiB");
    assert_string_equal(text_show_bytes(1536, out, sizeof out), "1.5 KiB");
    assert_string_equal(text_show_bytes(5 << 20, out, sizeof out), "5.0 MiB");
}

static void a_distance_counts_edits(void **state)
{
    (void)state;
    assert_int_equal(text_distance("timeout", "timeout"), 0);
    assert_int_equal(text_distance("timout", "timeout"), 1);
    assert_int_equal(text_distance("comand", "command"), 1);
    assert_int_equal(text_distance("user", "umask"), 4);
    assert_int_equal(text_distance("", "ab"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_or_refused),
        cmocka_unit_test(sizes_are_read_or_refused),
        cmocka_unit_test(numbers_keep_to_their_limits),
        cmocka_unit_test(yes_and_no_are_told_apart),
        cmocka_unit_test(values_are_shown_for_people),
        cmocka_unit_test(a_distance_counts_edits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
