/* Nothing from outside reaches a terminal or a JSON reader but as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/escape.h"

static void what_a_terminal_obeys_is_escaped(void **state)
{
    static const struct {
        const char *text;
        const char *wanted;
    } rows[] = { { "plain", "plain" },
                 { "a\nb", "a\\x0ab" },
                 { "\033[31m", "\\x1b[31m" },
                 { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
                 { "\xc3", "\\xc3" },
                 { "\xff", "\\xff" },
                 { "\xc2\x9b", "\\xc2\\x9b" },
                 { "\x7f", "\\x7f" },
                 /* Characters that UTF-8 has no place for: JSON readers refuse them. */
                 { "\xc0\xaf", "\\xc0\\xaf" },
                 { "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
                 { "\xed\xa0\x80", "\\xed\\xa0\\x80" },
                 { "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" },
                 { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
                 { "\xed\x9f\xbf", "\xed\x9f\xbf" },
                 { "\xf0\x9f\x90\x8d", "\xf0\x9f\x90\x8d" } };
    char out[64];
    char tiny[6];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(escape_text(rows[i].text, out, sizeof out), rows[i].wanted);
    assert_string_equal(escape_text("abc\n\n", tiny, sizeof tiny), "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_terminal_obeys_is_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
