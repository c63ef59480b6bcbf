/* The ini file: what is read, and what is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan/inifile.h"
#include "planned.h"

static struct fault why;
static char told[4096];

static void tell(const char *text)
{
    strncat(told, text, sizeof told - strlen(told) - 1);
}

static void take_section(void *context, const char *section, int line)
{
    char text[128];

    (void)context;
    snprintf(text, sizeof text, "[%s]%d|", section, line);
    tell(text);
}

static void take_value(void *context, const char *key, const char *value, int line)
{
    char text[256];

    (void)context;
    snprintf(text, sizeof text, "%s=%.100s@%d|", key, value, line);
    tell(text);
}

static void parse(const char *text, size_t length)
{
    const struct inifile file = { .name = "f", .text = text, .length = length };
    const struct inifile_handler handler = { .section = take_section, .value = take_value };

    fault_clear(&why);
    assert_int_equal(arena_open(&why), 0);
    told[0] = '\0';
    inifile_parse(&file, &handler, &why);
}

static void lines_are_told_with_their_numbers(void **state)
{
    static const struct {
        const char *text;
        const char *told;
    } rows[] = {
        { "", "" },
        { "\n\n[a]\nx = 1\n", "[a]3|x=1@4|" },
        { "[a]\nx=1", "[a]1|x=1@2|" },
        { "\xEF\xBB\xBF[a]\r\nx = 1\r\n", "[a]1|x=1@2|" },
        { "\xEF\xBB\xBFx = 1\n", "x=1@1|" },
        { "; c\n# c\n  ; c\n[a] ; c\n", "[a]4|" },
        { "x = 1 ; c\n", "x=1@1|" },
        { "x = ; c\n", "x=@1|" },
        { "x = a;b\t;c ; d\ny =;z\n", "x=a;b@1|y=;z@2|" },
        { "x =\n", "x=@1|" },
        { "x = a;b # c\n", "x=a;b # c@1|" },
        { "x = a = b : c\n", "x=a = b : c@1|" },
        { "x = http://h:1/\n", "x=http://h:1/@1|" },
        /* An indented line is no continuation. */
        { "x = 1\n  y = 2\n", "x=1@1|y=2@2|" },
        { "[ a  b ]\n", "[a  b]1|" },
        { "x = \"a b\"\n", "x=\"a b\"@1|" },
        { "x = \xC3\xA4\tb\n", "x=\xC3\xA4\tb@1|" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        parse(rows[i].text, strlen(rows[i].text));
        assert_string_equal(told, rows[i].told);
        assert_int_equal(why.count, 0);
    }
}

static void bad_lines_are_faults_and_nothing_else(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        const char *fault;
    } rows[] = {
        { "a\n", 2, "f:1: \"a\" is not `key = value`" },
        { "[a]\nhttp://x/y\n", 15, "f:2: \"http://x/y\" is not" },
        { "http://x/?a=b\n", 14, "is not `key = value`" },
        { "a: b\n", 5, "is not `key = value`" },
        { "= b\n", 4, "is not `key = value`" },
        { "a b = c\n", 8, "is not `key = value`" },
        { "a ; = c\n", 8, "is not `key = value`" },
        { "[a\n", 3, "is no section" },
        { "[a] b\n", 6, "is no section" },
        { "[a];b\n", 6, "is no section" },
        { "a = b\0c\n", 8, "a NUL byte" },
        { "a = \x1b[2J\n", 9, "a control character" },
        { "a = b\rc = d\n", 12, "a control character" },
        { "a = \x7f\n", 6, "a control character" },
        { "a = \xff\n", 6, "not UTF-8" },
        { "a = \xc3\n", 6, "not UTF-8" },
        { "a = \xc0\xaf\n", 7, "not UTF-8" },
        { "[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n", 53, "longer than 49 bytes" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        parse(rows[i].text, rows[i].length);
        assert_int_equal(why.count, 1);
        assert_true(planned_has_fault(&why, rows[i].fault));
        assert_null(strchr(told, '='));
    }
}

static void a_line_has_4096_bytes_and_no_more(void **state)
{
    static char line[INIFILE_LINE_MAX + 64];

    (void)state;
    memset(line, 'v', sizeof line);
    memcpy(line, "key=", 4);
    memcpy(line + INIFILE_LINE_MAX, "\nx=1\n", 5);
    parse(line, INIFILE_LINE_MAX + 5);
    assert_int_equal(why.count, 0);
    assert_non_null(strstr(told, "x=1@2|"));
    /* One more: what is beyond the limit must not become a line of its own. */
    memcpy(line + INIFILE_LINE_MAX - 4, "vu=0v\nx=1\n", 10);
    parse(line, INIFILE_LINE_MAX + 6);
    assert_int_equal(why.count, 1);
    assert_true(planned_has_fault(&why, "f:1: the line has 4097 bytes, a line has at most 4096"));
    assert_string_equal(told, "x=1@2|");
}

static void only_plain_files_of_fair_size_are_read(void **state)
{
    struct inifile file;
    static char big[INIFILE_SIZE_MAX + 1];

    (void)state;
    fault_clear(&why);
    assert_int_equal(arena_open(&why), 0);
    assert_int_equal(inifile_load("/dev/null", false, &file, &why), -1);
    assert_true(planned_has_fault(&why, "/dev/null: is a device, not a file"));
    assert_int_equal(inifile_load("/", false, &file, &why), -1);
    assert_true(planned_has_fault(&why, "/: is a directory, not a file"));
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(inifile_load("fifo", false, &file, &why), -1);
    assert_true(planned_has_fault(&why, "fifo: is a pipe, not a file"));
    unlink("fifo");
    assert_int_equal(inifile_load("none", false, &file, &why), -1);
    assert_true(planned_has_fault(&why, "none: No such file"));
    assert_int_equal(inifile_load("none", true, &file, &why), 1);
    assert_int_equal(inifile_load("none/none", true, &file, &why), 1);
    planned_write("t.ini", big, sizeof big);
    assert_int_equal(inifile_load("t.ini", false, &file, &why), -1);
    assert_true(planned_has_fault(&why, "has 131073 bytes"));
    planned_write("t.ini", "x=1", 3);
    assert_int_equal(inifile_load("t.ini", false, &file, &why), 0);
    assert_int_equal(file.length, 3);
    assert_memory_equal(file.text, "x=1", 3);
}

/* Found, for root: file and folder must be root's alone. */
static void root_does_not_obey_what_others_may_write(void **state)
{
    static const struct {
        mode_t file;
        mode_t folder;
        uid_t owner;
        int result;
    } rows[] = { { 0644, 0755, 0, 0 },  { 0600, 0700, 0, 0 },  { 0664, 0755, 0, -1 },
                 { 0646, 0755, 0, -1 }, { 0644, 0775, 0, -1 }, { 0644, 01777, 0, -1 },
                 { 0644, 0755, 1, -1 } };
    struct inifile file;

    (void)state;
    if (geteuid() != 0)
        skip();
    planned_write("t.ini", "x=1", 3);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(chmod("t.ini", rows[i].file), 0);
        assert_int_equal(chmod(".", rows[i].folder), 0);
        assert_int_equal(chown("t.ini", rows[i].owner, 0), 0);
        fault_clear(&why);
        assert_int_equal(arena_open(&why), 0);
        assert_int_equal(inifile_load("t.ini", true, &file, &why), rows[i].result);
        assert_int_equal(inifile_load("t.ini", false, &file, &why), 0);
        if (rows[i].result < 0)
            assert_true(
                planned_has_fault(&why, "COPY --chmod=644 freshinit.ini /etc/freshinit.ini"));
    }
    assert_int_equal(chmod(".", 0700), 0);
    assert_int_equal(symlink("t.ini", "link.ini"), 0);
    assert_int_equal(inifile_load("link.ini", true, &file, &why), -1);
    assert_true(planned_has_fault(&why, "link.ini: is a symbolic link"));
    unlink("link.ini");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_told_with_their_numbers),
        cmocka_unit_test(bad_lines_are_faults_and_nothing_else),
        cmocka_unit_test(a_line_has_4096_bytes_and_no_more),
        cmocka_unit_test(only_plain_files_of_fair_size_are_read),
        cmocka_unit_test(root_does_not_obey_what_others_may_write),
    };

    return cmocka_run_group_tests(tests, planned_setup, planned_teardown);
}
