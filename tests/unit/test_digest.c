/* once = change: what counts as a change, and what does not. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "stage/digest.h"

static char root[] = "/tmp/test_digest.XXXXXX";
static char *const excluded[] = { ".git", NULL };
static const struct words exclude = { .items = excluded, .count = 1 };

static void put(const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(fdio_write(fd, text, strlen(text)), 0);
    close(fd);
}

static struct digest take(void)
{
    struct digest digest = { 0 };
    struct fault why;

    fault_clear(&why);
    assert_int_equal(digest_add(&digest, root, &exclude, &why), 0);
    return digest;
}

/* Whether the digest differs from the one before. */
static bool has_changed(void)
{
    static struct digest before;
    struct digest now = take();
    bool differs = now.sum[0] != before.sum[0] && now.sum[1] != before.sum[1];
    bool same = now.sum[0] == before.sum[0] && now.sum[1] == before.sum[1];

    assert_true(differs || same);
    before = now;
    return differs;
}

static void only_names_modes_and_contents_count(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    assert_int_equal(chdir(root), 0);
    mkdir("a", 0755);
    mkdir("a/b", 0755);
    mkdir(".git", 0755);
    for (int i = 0; i < 300; i++) {
        char name[64];
        snprintf(name, sizeof name, "a/a-file-with-a-long-name-%d", i);
        put(name, "x");
    }
    put("a/b/f", "one");
    assert_true(has_changed());
    assert_false(has_changed());
    assert_int_equal(take().files, 301);

    const struct timespec old[2] = { { .tv_sec = 5 }, { .tv_sec = 5 } };
    assert_int_equal(utimensat(AT_FDCWD, "a/b/f", old, 0), 0);
    assert_false(has_changed());
    put(".git/x", "x");
    assert_false(has_changed());
    put("a/b/f", "two");
    assert_int_equal(utimensat(AT_FDCWD, "a/b/f", old, 0), 0);
    assert_true(has_changed());
    assert_int_equal(rename("a/b/f", "a/b/g"), 0);
    assert_true(has_changed());
    assert_int_equal(chmod("a/b/g", 0755), 0);
    assert_true(has_changed());
    put("a/b/empty", "");
    assert_true(has_changed());
    assert_int_equal(unlink("a/b/empty"), 0);
    assert_true(has_changed());
    assert_false(has_changed());
}

static void links_to_files_count_by_content_and_folders_are_not_entered(void **state)
{
    (void)state;
    assert_int_equal(symlink("b/g", "a/link"), 0);
    assert_true(has_changed());
    assert_int_equal(symlink("..", "a/up"), 0);
    assert_true(has_changed());
    assert_int_equal(mkfifo("a/fifo", 0644), 0);
    assert_true(has_changed());
    assert_false(has_changed());
}

static void a_root_may_be_a_file_or_missing(void **state)
{
    struct digest file = { 0 };
    struct digest missing = { 0 };
    struct fault why;

    (void)state;
    fault_clear(&why);
    assert_int_equal(digest_add(&file, "a/b/g", &exclude, &why), 0);
    assert_int_equal(file.files, 1);
    assert_int_equal(digest_add(&missing, "a/none", &exclude, &why), 0);
    assert_int_equal(missing.files, 0);
    assert_int_not_equal(missing.sum[0], file.sum[0]);
}

static int remove_root(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_names_modes_and_contents_count),
        cmocka_unit_test(links_to_files_count_by_content_and_folders_are_not_entered),
        cmocka_unit_test(a_root_may_be_a_file_or_missing),
    };

    return cmocka_run_group_tests(tests, NULL, remove_root);
}
