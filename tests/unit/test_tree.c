/* wraps: syscall */
/* Directories by descriptor: links, mounts and moved folders. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "stage/roots.h"
#include "stage/tree.h"

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

static bool is_old_kernel;

long __wrap_syscall(long number, ...)
{
    long words[5];
    va_list values;

    va_start(values, number);
    for (size_t i = 0; i < COUNT(words); i++)
        words[i] = va_arg(values, long);
    va_end(values);
    if (is_old_kernel && number == SYS_openat2) {
        errno = ENOSYS;
        return -1;
    }
    return __real_syscall(number, words[0], words[1], words[2], words[3], words[4]);
}

static char folder[] = "/tmp/freshinit-tree-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 && mkdir("a", 0755) == 0 &&
                   mkdir("a/b", 0755) == 0 && symlink("a", "link") == 0 &&
                   mkfifo("fifo", 0600) == 0 && symlink("fifo", "to-fifo") == 0
               ? 0
               : -1;
}

static int teardown(void **state)
{
    static const char *const names[] = { "fifo", "to-fifo", "link" };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        (void)unlink(names[i]);
    return rmdir("a/b") == 0 && rmdir("a") == 0 && chdir("/") == 0 ? rmdir(folder) : -1;
}

static void links_are_not_followed(void **state)
{
    char path[PATH_MAX];
    int top = tree_root(folder);

    (void)state;
    assert_true(top >= 0);
    assert_int_equal(tree_open(top, "link"), -1);
    assert_int_equal(tree_open(top, "fifo"), -1);
    assert_int_equal(tree_open(top, "a/../link/b"), -1);
    snprintf(path, sizeof path, "%s/link/b", folder);
    assert_int_equal(tree_root(path), -1);
    assert_int_equal(errno, ELOOP);
    tree_close(top);
}

static void a_path_is_gone_step_by_step(void **state)
{
    int top = tree_root(folder);

    (void)state;
    for (int old = 0; old < 2; old++) {
        is_old_kernel = old == 1;
        int below = tree_open(top, "a/b");
        assert_true(below >= 0);
        tree_close(below);
        assert_int_equal(tree_open(top, "link/b"), -1);
        assert_int_equal(tree_open(top, "a/c"), -1);
        assert_int_equal(errno, ENOENT);
    }
    is_old_kernel = false;
    tree_close(top);
}

static void a_fifo_is_neither_waited_for_nor_opened_behind_a_link(void **state)
{
    int top = tree_root(folder);
    int fd = tree_file(top, "fifo", false);

    (void)state;
    assert_true(fd >= 0);
    tree_close(fd);
    assert_int_equal(tree_file(top, "to-fifo", false), -1);
    assert_int_equal(tree_file(top, "to-fifo", true), -1);
    tree_close(top);
}

static void a_parent_is_known_again_or_refused(void **state)
{
    struct tree_stat st;
    int top = tree_root(folder);
    int a = tree_open(top, "a");
    int b = tree_open(a, "b");

    (void)state;
    assert_true(b >= 0);
    assert_int_equal(tree_stat(a, "", false, &st), 0);
    int again = tree_parent(b, st.device, st.inode);
    assert_true(again >= 0);
    tree_close(again);
    assert_int_equal(renameat(a, "b", top, "moved"), 0);
    assert_int_equal(tree_parent(b, st.device, st.inode), -1);
    assert_int_equal(errno, ESTALE);
    assert_int_equal(renameat(top, "moved", a, "b"), 0);
    tree_close(b);
    tree_close(a);
    tree_close(top);
}

static void entries_come_without_dots(void **state)
{
    _Alignas(8) char room[TREE_ROOM];
    struct tree_entry entry;
    int top = tree_root(folder);
    ssize_t got = tree_read(top, room, sizeof room);
    struct tree_cursor cursor = { room, room + got };
    int count = 0;

    (void)state;
    while (tree_next(&cursor, &entry)) {
        assert_int_not_equal(entry.name[0], '.');
        assert_int_equal(entry.length, strlen(entry.name));
        count++;
    }
    assert_int_equal(count, 4);
    tree_close(top);
}

static void roots_are_made_absolute_and_counted_once(void **state)
{
    static struct roots roots;
    static const char *const words[] = { ".", "./", "a/.", "a//b/", "*", "?/b" };
    static const size_t counts[] = { 1, 1, 2, 3, 3, 3 };
    struct root as = { .stages = 1 };
    struct fault why;
    size_t found;

    (void)state;
    fault_clear(&why);
    for (size_t i = 0; i < COUNT(words); i++) {
        assert_int_equal(roots_add(&roots, words[i], &as, false, &found, &why), 0);
        assert_int_equal(roots.count, counts[i]);
        assert_int_equal(found, 1);
    }
    assert_string_equal(roots.items[0].path, folder);
    assert_int_equal(roots_add(&roots, "none*", &as, false, &found, &why), 0);
    assert_int_equal(found, 0);
}

static void the_systems_folders_are_known_by_any_name(void **state)
{
    int fd = tree_root("/usr");
    int own = tree_root(folder);

    (void)state;
    assert_true(roots_is_system(fd, false));
    assert_false(roots_is_system(own, true));
    tree_close(fd);
    tree_close(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_not_followed),
        cmocka_unit_test(a_path_is_gone_step_by_step),
        cmocka_unit_test(a_fifo_is_neither_waited_for_nor_opened_behind_a_link),
        cmocka_unit_test(a_parent_is_known_again_or_refused),
        cmocka_unit_test(entries_come_without_dots),
        cmocka_unit_test(roots_are_made_absolute_and_counted_once),
        cmocka_unit_test(the_systems_folders_are_known_by_any_name),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
