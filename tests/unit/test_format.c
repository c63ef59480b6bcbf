/* Every row is held against what the C library makes of it. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/format.h"

/* Not snprintf itself: the compiler would know that some rows are cut. */
static int libc_text(char *out, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);

static int libc_text(char *out, size_t size, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    int length = vsnprintf(out, size, format, values);
    va_end(values);
    return length;
}

#define SAME_IN(size, ...)                                                                         \
    do {                                                                                           \
        char wanted[64];                                                                           \
        char got[64];                                                                              \
        memset(wanted, 'x', sizeof wanted);                                                        \
        memset(got, 'x', sizeof got);                                                              \
        int wanted_length = libc_text(wanted, size, __VA_ARGS__);                                  \
        int length = format_text(got, size, __VA_ARGS__);                                          \
        assert_string_equal(got, wanted);                                                          \
        assert_int_equal(length, wanted_length);                                                   \
        assert_memory_equal(got + (size), wanted + (size), sizeof got - (size));                   \
    } while (0)
#define SAME(...) SAME_IN(60, __VA_ARGS__)

static void texts_come_out_as_from_libc(void **state)
{
    const char unended[3] = { 'a', 'b', 'c' };

    (void)state;
    SAME("%s", "");
    SAME("no conversion");
    SAME("%s and %s", "one", "another");
    SAME("100%% of %c%c", 'o', 'k');
    SAME("[%9s][%-9s][%2s]", "right", "left", "longer");
    SAME("[%-*s][%*s][%*s]", 7, "left", 7, "right", 0, "");
    SAME("[%.3s][%.40s][%.0s]", "cut here", "whole", "gone");
    SAME("[%.*s][%5.2s][%-5.2s]", 3, unended, "abc", "abc");
    SAME("[%3c][%-3c]", 'a', 'b');
}

static void numbers_come_out_as_from_libc(void **state)
{
    (void)state;
    SAME("%d %d %d %i", 0, -1, INT32_MAX, INT32_MIN);
    SAME("%u %u %x %o", 0U, UINT32_MAX, 0xbeefU, 0755U);
    SAME("%ld %lld", (long)INT64_MIN, (long long)INT64_MAX);
    SAME("%lu %llu %zu", 0UL, (unsigned long long)UINT64_MAX, SIZE_MAX);
    SAME("%" PRIx64 " %" PRIu64 " %" PRId64, UINT64_MAX, UINT64_C(7), INT64_C(-7));
    SAME("[%7d][%-7d][%2d][%9lld]", 42, 42, 12345, -42LL);
    SAME("[%02d][%04d][%03d][%02x]", 7, 2026, -7, 10U);
    SAME("[%05d][%01d]", -12345, -1);
    SAME("[%*d][%.100s]", 5, -3, "after a star");
}

static void what_does_not_fit_is_cut_and_counted(void **state)
{
    (void)state;
    SAME_IN(1, "%s", "anything");
    SAME_IN(4, "%s", "abc");
    SAME_IN(4, "%s", "abcd");
    SAME_IN(4, "%d", 12345);
    SAME_IN(4, "%30s%30s", "far", "farther");
    assert_int_equal(format_text(NULL, 0, "%s-%d", "abc", 12), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_out_as_from_libc),
        cmocka_unit_test(numbers_come_out_as_from_libc),
        cmocka_unit_test(what_does_not_fit_is_cut_and_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
