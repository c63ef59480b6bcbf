/* A seal is read as it was written, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "planned.h"
#include "stage/seal.h"
#include "stage/seal_draft.h"

static struct fault why;
static struct seal seal;
static struct roots roots;

static const struct seal_entry files[] = {
    { "/app/b.py", 0x1111111111111111, 10 },
    { "/app/a/deep/er/x.py", 0xffffffffffffffff, 0 },
    { "/app/a/deep/er/x.html", 1, 4000000000 },
    { "/app/a.py", 2, 127 },
    { "/app/a.py", 2, 127 },
    { "/app/a/deep", 3, 128 },
};

static void write_seal(const char *release)
{
    struct seal_draft draft;

    roots.count = 1;
    roots.items[0] = (struct root){ .path = "/app" };
    fault_clear(&why);
    assert_int_equal(seal_draft_open(&draft, &why), 0);
    for (size_t i = 0; i < COUNT(files); i++)
        assert_int_equal(seal_draft_add(&draft, &files[i], &why), 0);
    assert_int_equal(seal_draft_write(&draft, "a.seal", release, &roots, &why), 0);
}

static void what_was_written_is_found_and_nothing_else(void **state)
{
    (void)state;
    write_seal("3f2a9c1");
    assert_int_equal(seal_load("a.seal", &seal, &why), 0);
    assert_string_equal(seal.release, "3f2a9c1");
    assert_int_equal(seal.count, COUNT(files) - 1);
    assert_string_equal(seal.roots.items[0].path, "/app");
    for (size_t i = 0; i < COUNT(files); i++) {
        const struct seal_item *item = seal_find(&seal, files[i].path);
        assert_non_null(item);
        assert_int_equal(item->size, files[i].size);
        assert_true(item->content == files[i].content);
    }
    assert_null(seal_find(&seal, "/app/c.py"));
    assert_null(seal_find(&seal, ""));
    assert_null(seal_find(&seal, "/app/a/deep/"));
}

static void paths_come_in_their_order(void **state)
{
    struct seal_cursor cursor = { .at = 0 };
    char last[SEAL_PATH_MAX] = "";
    size_t count = 0;

    (void)state;
    write_seal("");
    assert_int_equal(seal_load("a.seal", &seal, &why), 0);
    for (; seal_next(&seal, &cursor); count++) {
        assert_true(strcmp(last, cursor.path) < 0);
        memcpy(last, cursor.path, cursor.length + 1);
    }
    assert_int_equal(count, COUNT(files) - 1);
}

static void one_that_is_cut_anywhere_or_has_a_changed_byte_is_refused(void **state)
{
    char bytes[1024];

    (void)state;
    write_seal("3f2a9c1");
    FILE *file = fopen("a.seal", "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_in_range(size, 100, sizeof bytes - 1);
    for (size_t i = 0; i < size; i++) {
        planned_write("a.seal", bytes, i);
        fault_clear(&why);
        assert_int_equal(seal_load("a.seal", &seal, &why), -1);
        bytes[i] ^= 0x20;
        planned_write("a.seal", bytes, size);
        fault_clear(&why);
        assert_int_equal(seal_load("a.seal", &seal, &why), -1);
        bytes[i] ^= 0x20;
    }
}

static void none_there_is_no_fault(void **state)
{
    (void)state;
    fault_clear(&why);
    assert_int_equal(seal_load("missing", &seal, &why), 1);
    assert_int_equal(seal_load(NULL, &seal, &why), 1);
    assert_int_equal(why.count, 0);
}

static void what_others_may_write_proves_nothing(void **state)
{
    (void)state;
    write_seal("3f2a9c1");
    assert_int_equal(chmod("a.seal", 0664), 0);
    fault_clear(&why);
    assert_int_equal(seal_load("a.seal", &seal, &why), -1);
    assert_true(planned_has_fault(&why, "may be written by others"));
}

static int remove_seal(void **state)
{
    unlink("a.seal");
    return planned_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_found_and_nothing_else),
        cmocka_unit_test(paths_come_in_their_order),
        cmocka_unit_test(one_that_is_cut_anywhere_or_has_a_changed_byte_is_refused),
        cmocka_unit_test(none_there_is_no_fault),
        cmocka_unit_test(what_others_may_write_proves_nothing),
    };

    return cmocka_run_group_tests(tests, planned_setup, remove_seal);
}
