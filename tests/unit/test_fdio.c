/* wraps: read write */
/* Whole reads and writes, however the kernel cuts and interrupts them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "forked.h"
#include "planned.h"

static bool is_rough;
static unsigned calls;

ssize_t __real_read(int fd, void *out, size_t size);
ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_read(int fd, void *out, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);

/* Every second call is interrupted, the others get three bytes at most. */
static bool is_interrupted(void)
{
    if (!is_rough || ++calls % 2 == 0)
        return false;
    errno = EINTR;
    return true;
}

static size_t cut(size_t size)
{
    return is_rough && size > 3 ? 3 : size;
}

ssize_t __wrap_read(int fd, void *out, size_t size)
{
    return is_interrupted() ? -1 : __real_read(fd, out, cut(size));
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    return is_interrupted() ? -1 : __real_write(fd, data, cut(size));
}

static void interrupted_and_cut_it_still_is_whole(void **state)
{
    static const char text[] = "ten and one";
    char out[32] = "";
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    is_rough = true;
    assert_int_equal(fdio_write(ends[1], text, sizeof text), 0);
    /* As much as was asked for, and no more. */
    assert_int_equal(fdio_read(ends[0], out, 4), 4);
    close(ends[1]);
    assert_int_equal(fdio_read(ends[0], out + 4, sizeof out - 4), sizeof text - 4);
    is_rough = false;
    assert_string_equal(out, text);
    close(ends[0]);
    assert_int_equal(fdio_read(-1, out, 1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(fdio_write(-1, out, 1), -1);
    assert_int_equal(errno, EBADF);
}

static void only_a_small_plain_file_is_read(void **state)
{
    static const struct {
        const char *path;
        size_t size;
        int result;
        int error;
    } rows[] = { { "five", 6, 5, 0 },           { "five", 64, 5, 0 },
                 { "five", 5, -1, EFBIG },      { "empty", 1, 0, 0 },
                 { "missing", 64, -1, ENOENT }, { ".", 64, -1, EISDIR },
                 { "fifo", 64, -1, EINVAL },    { "five/x", 64, -1, ENOTDIR } };
    char out[64];

    (void)state;
    planned_write("five", "12345", 5);
    planned_write("empty", "", 0);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        errno = 0;
        assert_int_equal(fdio_read_file(rows[i].path, out, rows[i].size), rows[i].result);
        assert_int_equal(errno, rows[i].error);
        if (rows[i].result >= 0)
            assert_int_equal(strlen(out), rows[i].result);
    }
    assert_true(unlink("five") == 0 && unlink("empty") == 0 && unlink("fifo") == 0);
    /* /proc says that its files have no bytes. */
    assert_true(fdio_read_file("/proc/self/stat", (char[4096]){ 0 }, 4096) > 10);
}

static int fill_streams(void)
{
    close(STDIN_FILENO);
    close(STDERR_FILENO);
    fdio_fill_streams();
    return fcntl(STDIN_FILENO, F_GETFD) < 0 || fcntl(STDERR_FILENO, F_GETFD) < 0 ? 1 : 0;
}

static int close_from(void)
{
    int kept = fcntl(STDOUT_FILENO, F_DUPFD, 40);
    int closed = fcntl(STDOUT_FILENO, F_DUPFD, 41);

    fdio_close_from(41);
    return kept == 40 && closed == 41 && fcntl(kept, F_GETFD) >= 0 && fcntl(closed, F_GETFD) < 0
               ? 0
               : 1;
}

static void the_next_file_never_becomes_a_standard_stream(void **state)
{
    (void)state;
    assert_int_equal(forked(fill_streams), 0);
}

static void descriptors_are_closed_from_one_on(void **state)
{
    (void)state;
    assert_int_equal(forked(close_from), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted_and_cut_it_still_is_whole),
        cmocka_unit_test(only_a_small_plain_file_is_read),
        cmocka_unit_test(the_next_file_never_becomes_a_standard_stream),
        cmocka_unit_test(descriptors_are_closed_from_one_on),
    };

    return cmocka_run_group_tests(tests, planned_setup, planned_teardown);
}
