/* Users and groups, without NSS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan/users.h"
#include "planned.h"

static struct fault why;
static char long_list[20000];

static int write_files(void **state)
{
    static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
                                 "\n"
                                 "broken\n"
                                 "half:x:\n"
                                 "bad:x:one:2::/bad:\n"
                                 "negative:x:-1:-1::/:\n"
                                 "app:x:1000:1001:An, App:/home/app:/bin/sh\n"
                                 "homeless:x:1002:1002:::\n"
                                 "many:x:1003:1003::/many:/bin/sh\n"
                                 "app:x:1:1:second:/no:/bin/sh\n"
                                 "last:x:1004:1004::/last";
    static const char group[] = "root:x:0:\n"
                                "app:x:1001:\n"
                                "\n"
                                "no colon\n"
                                "\n"
                                "web:x:33:www,app\n"
                                "apple:x:34:apple\n"
                                "broken:x\n"
                                "log:x:35:app,last\n";
    size_t length = 0;

    if (planned_setup(state) < 0)
        return -1;
    planned_write("passwd", passwd, sizeof passwd - 1);
    memcpy(long_list, group, sizeof group - 1);
    length = sizeof group - 1;
    length += (size_t)sprintf(long_list + length, "huge:x:40:");
    while (length < 12000)
        length += (size_t)sprintf(long_list + length, "member%zu,", length);
    length += (size_t)sprintf(long_list + length, "app\n");
    for (int i = 0; i < GROUPS_MAX + 1; i++)
        length += (size_t)sprintf(long_list + length, "g%d:x:%d:many\n", i, 2000 + i);
    planned_write("group", long_list, length);
    return 0;
}

static int remove_files(void **state)
{
    unlink("passwd");
    unlink("group");
    return planned_teardown(state);
}

static void users_are_found(void **state)
{
    static const struct {
        const char *text;
        int uid;
        int gid;
        const char *home;
        size_t groups;
    } rows[] = {
        { "app", 1000, 1001, "/home/app", 4 },
        { "1000", 1000, 1001, "/home/app", 4 },
        { "app:web", 1000, 33, "/home/app", 1 },
        { "app:99", 1000, 99, "/home/app", 1 },
        { "1000:99", 1000, 99, "/home/app", 1 },
        { "homeless", 1002, 1002, "/", 1 },
        { "last", 1004, 1004, "/last", 2 },
        /* No entry: never group 0 by silence. */
        { "4242", 4242, 4242, "/", 1 },
        { "4242:web", 4242, 33, "/", 1 },
        { "root", 0, 0, "/root", 1 },
        { "many:5", 1003, 5, "/many", 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct identity who = { 0 };
        fault_clear(&why);
        assert_int_equal(arena_open(&why), 0);
        assert_int_equal(users_find(".", rows[i].text, &who, &why), 0);
        assert_int_equal(who.uid, rows[i].uid);
        assert_int_equal(who.gid, rows[i].gid);
        assert_string_equal(who.home, rows[i].home);
        assert_int_equal(who.group_count, rows[i].groups);
        assert_int_equal(who.groups[0], who.gid);
        assert_string_equal(who.text, rows[i].text);
    }
}

static void unknown_users_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *fault;
    } rows[] = {
        { "", "is not user or user:group" },
        { ":web", "is not user or user:group" },
        { "app:", "is not user or user:group" },
        { "appp", "did you mean \"app\"?" },
        { "app:wbe:x", "group \"wbe:x\" is not in ./group" },
        { "app:weeb", "did you mean \"web\"?" },
        { "broken", "is not in ./passwd" },
        { "bad", "is not in ./passwd" },
        { "negative", "is not in ./passwd" },
        /* -1 means "leave it" to the kernel. */
        { "4294967295", "is no user number" },
        { "99999999999", "is no user number" },
        { "1:4294967295", "is no group number" },
        { "many", "more than 32 groups" },
    };
    struct identity who;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        fault_clear(&why);
        assert_int_equal(arena_open(&why), 0);
        assert_int_equal(users_find(".", rows[i].text, &who, &why), -1);
        assert_true(planned_has_fault(&why, rows[i].fault));
    }
}

static void without_the_files_numbers_do(void **state)
{
    struct identity who;

    (void)state;
    fault_clear(&why);
    assert_int_equal(arena_open(&why), 0);
    assert_int_equal(users_find("/nonexistent", "33:34", &who, &why), 0);
    assert_int_equal(who.uid, 33);
    assert_int_equal(who.gid, 34);
    assert_null(who.name);
    assert_int_equal(users_find("/nonexistent", "app", &who, &why), -1);
    assert_true(planned_has_fault(&why, "write UID:GID in numbers"));
    assert_int_equal(users_find("/nonexistent", "33:web", &who, &why), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_found),
        cmocka_unit_test(unknown_users_are_refused),
        cmocka_unit_test(without_the_files_numbers_do),
    };

    return cmocka_run_group_tests(tests, write_files, remove_files);
}
