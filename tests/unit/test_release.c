/* The release out of files, without git. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan/release.h"
#include "planned.h"

#define SHA1 "0123456789abcdef0123456789abcdef01234567"

static struct fault why;

static void text_file(const char *path, const char *text)
{
    planned_write(path, text, strlen(text));
}

static int make_git(void **state)
{
    return planned_setup(state) < 0 || mkdir(".git", 0755) < 0 || mkdir(".git/refs", 0755) < 0 ? -1
                                                                                               : 0;
}

static int remove_git(void **state)
{
    unlink(".git/refs/main");
    unlink(".git/packed-refs");
    unlink(".git/HEAD");
    unlink("release");
    rmdir(".git/refs");
    rmdir(".git");
    return planned_teardown(state);
}

static void git_tells_the_commit(void **state)
{
    static const struct {
        const char *head;
        const char *ref;
        const char *packed;
        const char *commit; /* NULL: none */
    } rows[] = {
        { SHA1 "\n", "", "", SHA1 },
        { "ref: refs/main\n", SHA1 "\n", "", SHA1 },
        { "ref: refs/other\n", SHA1 "\n", "# pack\n" SHA1 " refs/otherwise\n", NULL },
        { "ref: refs/other\n", "", "# pack\n" SHA1 " refs/other\n^x\n", SHA1 },
        { "ref: refs/main\n", "secret of root", "", NULL },
        { "ref: refs/../packed-refs\n", "", SHA1 "\n", NULL },
        { "ref: /etc/hostname\n", "", "", NULL },
        { "0123", "", "", NULL },
        { "", "", "", NULL },
    };
    char out[RELEASE_SIZE];

    (void)state;
    assert_false(release_from_git("nowhere", out));
    for (size_t i = 0; i < COUNT(rows); i++) {
        text_file(".git/HEAD", rows[i].head);
        text_file(".git/refs/main", rows[i].ref);
        text_file(".git/packed-refs", rows[i].packed);
        assert_int_equal(release_from_git(".", out), rows[i].commit != NULL);
        if (rows[i].commit)
            assert_string_equal(out, rows[i].commit);
    }
}

static void a_file_tells_its_first_line(void **state)
{
    static const struct {
        const char *text;
        const char *release; /* NULL: a fault */
    } rows[] = {
        { "v1.2\n", "v1.2" }, { "v1.2  \r\nmore\n", "v1.2" }, { "\n", NULL }, { "a b\n", NULL },
        { "a\x01\n", NULL },
    };
    char out[RELEASE_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        fault_clear(&why);
        text_file("release", rows[i].text);
        assert_int_equal(release_from_file("release", out, &why), rows[i].release ? 0 : -1);
        if (rows[i].release)
            assert_string_equal(out, rows[i].release);
    }
    assert_int_equal(release_from_file("none", out, &why), -1);
    assert_true(planned_has_fault(&why, "release_file none: No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(git_tells_the_commit),
        cmocka_unit_test(a_file_tells_its_first_line),
    };

    return cmocka_run_group_tests(tests, make_git, remove_git);
}
