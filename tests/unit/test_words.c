/* Text becomes the words that a shell would make of it, quotes and all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/words.h"

static struct fault why;

static void words_are_split_like_a_shell_would(void **state)
{
    static const struct {
        const char *text;
        const char *wanted; /* joined by | */
    } rows[] = { { "gunicorn app:app", "gunicorn|app:app" },
                 { "  a \t b  ", "a|b" },
                 { "", "" },
                 { "'a b' \"c d\"", "a b|c d" },
                 { "a\\ b", "a b" },
                 { "x=\"\"", "x=" },
                 { "''", "" },
                 { "'a\\b' \"a\\\"b\"", "a\\b|a\"b" },
                 { "a b c d e", "a|b|c|d|e" },
                 { "it\"'s a\"b", "it's ab" },
                 { "a'\"'b", "a\"b" },
                 { "end\\", "end\\" },
                 { "'open", NULL },
                 { "\"open", NULL } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct words words = { .count = 99 };
        char joined[200] = "";
        fault_clear(&why);
        int result = words_split(rows[i].text, &words, &why);
        assert_int_equal(result, rows[i].wanted ? 0 : -1);
        if (!rows[i].wanted)
            continue;
        assert_null(words.items[words.count]);
        for (size_t j = 0; j < words.count; j++) {
            strcat(joined, j > 0 ? "|" : "");
            strcat(joined, words.items[j]);
        }
        assert_string_equal(joined, rows[i].wanted);
    }
}

static int open_arena(void **state)
{
    (void)state;
    fault_clear(&why);
    return arena_open(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_split_like_a_shell_would),
    };

    return cmocka_run_group_tests(tests, open_arena, NULL);
}
