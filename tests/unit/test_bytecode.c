/* wraps: clock_wall_ms */
/* Bytecode on disk: which times prove that it was made from the source. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "stage/bytecode.h"

int64_t __real_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void);

static int64_t behind_ms;

/* The clock seems to have been set back by that much. */
int64_t __wrap_clock_wall_ms(void)
{
    return __real_clock_wall_ms() - behind_ms;
}

/* mod.py, and later than that mod.pyc of CPython 3.11, with its time and size. */
static void write_both(void)
{
    unsigned char head[24] = { 0xa7, 0x0d, '\r', '\n' };
    struct stat source;
    struct stat made = { 0 };

    int fd = open("mod.py", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, "x = 1\n", 6), 6);
    assert_true(fstat(fd, &source) == 0 && close(fd) == 0);
    for (int i = 0; i < 4; i++)
        head[8 + i] = (unsigned char)(source.st_mtim.tv_sec >> (8 * i));
    head[12] = 6;
    head[16] = 0xe3;
    /* Until the clock of files has moved on. */
    do {
        fd = open("mod.pyc", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_int_equal(write(fd, head, sizeof head), sizeof head);
        assert_true(fstat(fd, &made) == 0 && close(fd) == 0);
    } while (!birth_is_later(made.st_ctim, source.st_ctim));
}

static enum pyc_verdict judge(void)
{
    const struct tree_entry entry = { .name = "mod.pyc", .length = 7 };
    const struct pyc_name name = pyc_name("mod.pyc", 7, false);
    struct birth birth;
    const struct bytecode_place place = { .dir = AT_FDCWD, .sources = "", .birth = &birth };
    enum pyc_verdict verdict;
    int64_t size;

    birth_find(&birth);
    assert_int_equal(bytecode_judge(&place, &entry, &name, &verdict, &size), 0);
    assert_int_equal(size, 24);
    return verdict;
}

static void a_time_that_is_still_to_come_proves_nothing(void **state)
{
    char folder[] = "/tmp/freshinit-test-XXXXXX";

    (void)state;
    assert_true(mkdtemp(folder) && chdir(folder) == 0);
    write_both();
    behind_ms = 0;
    assert_int_equal(judge(), PYC_FRESH);
    behind_ms = 30000;
    assert_int_equal(judge(), PYC_FRESH);
    behind_ms = 3600000;
    assert_int_equal(judge(), PYC_UNPROVEN);
    assert_true(unlink("mod.py") == 0 && unlink("mod.pyc") == 0 && rmdir(folder) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_that_is_still_to_come_proves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
