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

static void platforms_tell_the_release_and_git_commit_hash_comes_first(void **state)
{
    char *both[] = { "K_REVISION=web-00042", "GIT_COMMIT_HASH=" SHA1, NULL };
    char *bad[] = { "GIT_COMMIT_HASH=two words", "COMMIT_SHA=", "K_REVISION=web-00042", NULL };
    char *none[] = { "HOME=/root", NULL };
    char out[RELEASE_SIZE];

    (void)state;
    assert_string_equal(release_from_environment(both, out), "GIT_COMMIT_HASH");
    assert_string_equal(out, SHA1);
    assert_string_equal(release_from_environment(bad, out), "K_REVISION");
    assert_string_equal(out, "web-00042");
    assert_null(release_from_environment(none, out));
}

static void a_seal_tells_the_release_in_its_first_line(void **state)
{
    static const struct {
        const char *text;
        const char *release; /* NULL: none */
    } rows[] = {
        { RELEASE_SEAL "3f2a9c1\nroot /app\n", "3f2a9c1" },
        { RELEASE_SEAL "\nroot /app\n", NULL },
        { RELEASE_SEAL "two words\n", NULL },
        { "freshinit seal 2 3f2a9c1\n", NULL },
        { "", NULL },
    };
    char out[RELEASE_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        text_file("release", rows[i].text);
        const char *from = release_from_seal("release", out);
        if (!rows[i].release) {
            assert_null(from);
            continue;
        }
        assert_string_equal(from, "release");
        assert_string_equal(out, rows[i].release);
    }
    assert_null(release_from_seal("missing", out));
    assert_null(release_from_seal(NULL, out));
}

static void a_shortened_commit_is_the_same_release(void **state)
{
    static const struct {
        const char *left;
        const char *right;
        bool is_same;
    } rows[] = {
        { "v1.2", "v1.2", true },         { "v1.2", "v1.2.1", false }, { SHA1, "0123456", true },
        { "0123456", SHA1, true },        { SHA1, "012345", false },   { SHA1, "0123457", false },
        { "0123456-dirty", SHA1, false }, { "", SHA1, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(release_is_same(rows[i].left, rows[i].right), rows[i].is_same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(platforms_tell_the_release_and_git_commit_hash_comes_first),
        cmocka_unit_test(a_seal_tells_the_release_in_its_first_line),
        cmocka_unit_test(a_shortened_commit_is_the_same_release),
        cmocka_unit_test(git_tells_the_commit),
        cmocka_unit_test(a_file_tells_its_first_line),
    };

    return cmocka_run_group_tests(tests, make_git, remove_git);
}
