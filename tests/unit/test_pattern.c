/* Patterns: what they match, and what is refused before it can match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stage/pattern.h"

static struct fault why;

static void patterns_match_names_and_folders(void **state)
{
    static const struct {
        const char *pattern;
        enum pattern_of of;
        const char *name;
        const char *path;
        bool matches;
    } rows[] = {
        { "*.pyc", PATTERN_FILE, "a.pyc", "", true },
        { "*.pyc", PATTERN_FILE, ".pyc", "", true },
        { "*.pyc", PATTERN_FILE, "a.pyo", "", false },
        { "*.pyc", PATTERN_FILE, "pyc", "", false },
        { "*.pyc", PATTERN_FOLDER, "a.pyc", "", false },
        { "build/", PATTERN_FOLDER, "build", "x/y", true },
        { "build/", PATTERN_FOLDER, "builds", "", false },
        { "build/", PATTERN_FILE, "build", "", false },
        { "a/b/", PATTERN_FOLDER, "b", "a", true },
        { "a/b/", PATTERN_FOLDER, "b", "x/y/a", true },
        { "a/b/", PATTERN_FOLDER, "b", "xa", false },
        { "a/b/", PATTERN_FOLDER, "b", "", false },
        { "a/b/", PATTERN_FOLDER, "b", "a/x", false },
        { "a*/b/*.tmp", PATTERN_FILE, "x.tmp", "q/abc/b", true },
        { "a*/b/*.tmp", PATTERN_FILE, "x.tmp", "abc/x/b", false },
        { "x[0-9].log", PATTERN_FILE, "x7.log", "", true },
        { "x[0-9].log", PATTERN_FILE, "xa.log", "", false },
        { "x[!0-9].log", PATTERN_FILE, "xa.log", "", true },
        { "x[]].log", PATTERN_FILE, "x].log", "", true },
        { "x[a", PATTERN_FILE, "x[a", "", true },
        { "?.t", PATTERN_FILE, "a.t", "", true },
        { "?.t", PATTERN_FILE, "ab.t", "", false },
        { "*a*b*c", PATTERN_FILE, "xxaxxbxxc", "", true },
        { "*a*b*c", PATTERN_FILE, "xxaxxcxxb", "", false },
        { "\xff*", PATTERN_FILE, "\xff\x01", "", true },
        { "[\x80-\xff]x", PATTERN_FILE, "\x90x", "", true },
    };
    struct pattern pattern;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        fault_clear(&why);
        assert_int_equal(pattern_read(rows[i].pattern, false, &pattern, &why), 0);
        if (pattern_matches(&pattern, rows[i].of, rows[i].name, strlen(rows[i].name),
                            rows[i].path) != rows[i].matches)
            fail_msg("%s over %s/%s", rows[i].pattern, rows[i].path, rows[i].name);
    }
}

static void an_exclude_is_a_file_or_a_folder(void **state)
{
    struct pattern pattern;

    (void)state;
    fault_clear(&why);
    assert_int_equal(pattern_read(".git", true, &pattern, &why), 0);
    assert_true(pattern_matches(&pattern, PATTERN_FILE, ".git", 4, ""));
    assert_true(pattern_matches(&pattern, PATTERN_FOLDER, ".git", 4, ""));
    assert_int_equal(pattern_read(".git/", true, &pattern, &why), 0);
    assert_false(pattern_matches(&pattern, PATTERN_FILE, ".git", 4, ""));
}

static void a_long_run_of_stars_takes_no_time(void **state)
{
    char name[255];

    (void)state;
    memset(name, 'a', sizeof name);
    assert_false(pattern_glob("*a*a*a*a*a*a*a*a*a*a*a*a*a*b", 28, name, sizeof name));
}

static void what_would_take_source_is_refused(void **state)
{
    static const char *const refused[] = {
        "*",    "*.*",    ".*",    "*.py",    "*.p?",  "*y",       "x*",       "settings.json",
        "*.db", "*/",     "?*?",   "*.[hj]*", "a.sql", "*.sqlit*", "*.toml",   "../*.x",
        "/a.x", "a//b.x", "./a.x", "!a.x",    "",      "**/a.x",   "b/*.html",
    };
    static const char *const accepted[] = {
        "*.pyc",   "*.tmp",  "__pycache__/", "a/b/",  ".next/",
        "*.cache", "x?.log", "src/*.o",      "*.map", "*.js.map"
    };

    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        fault_clear(&why);
        if (pattern_check_clear(refused[i], &why) == 0 || why.count == 0)
            fail_msg("%s was accepted", refused[i]);
    }
    for (size_t i = 0; i < COUNT(accepted); i++) {
        fault_clear(&why);
        if (pattern_check_clear(accepted[i], &why) < 0)
            fail_msg("%s: %s", accepted[i], fault_line(&why, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_names_and_folders),
        cmocka_unit_test(an_exclude_is_a_file_or_a_folder),
        cmocka_unit_test(a_long_run_of_stars_takes_no_time),
        cmocka_unit_test(what_would_take_source_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
