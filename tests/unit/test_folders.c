/* The system's folders are known by name, and an application's are not taken for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "plan/folders.h"

static void the_system_is_told_from_an_application(void **state)
{
    static const struct {
        const char *path;
        bool is_system;
        bool is_closed;
        bool is_kept;
    } rows[] = {
        { "/", true, false, false },
        { "/usr", true, false, false },
        { "/usr/src/app", false, false, false },
        { "/usr/local/lib", true, false, false },
        { "/usr/local/lib/x", false, false, false },
        { "/lib", true, false, false },
        { "/lib64", true, false, false },
        { "/libs", true, false, false },
        { "/lib/x", false, false, false },
        { "/etc", false, true, false },
        { "/etc/x", false, true, false },
        { "/etcetera", false, false, false },
        { "/proc/1", false, true, false },
        { "/home", false, false, true },
        { "/home/app", false, false, false },
        { "/app", false, false, false },
        { "", false, false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(folders_is_system(rows[i].path), rows[i].is_system);
        assert_int_equal(folders_above(folders_closed, rows[i].path) != NULL, rows[i].is_closed);
        assert_int_equal(folders_find(folders_kept, rows[i].path) != NULL, rows[i].is_kept);
    }
    assert_string_equal(folders_above(folders_closed, "/dev/shm/x"), "/dev");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_is_told_from_an_application),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
