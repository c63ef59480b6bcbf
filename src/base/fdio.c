/*
 * Whole reads and writes. The only place that handles EINTR.
 */
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where a limit is higher, most of the numbers are not in use. */
enum { FILES_MAX = 65536 };

int fdio_write(int fd, const void *data, size_t size)
{
    const char *next = data;

    while (size > 0) {
        ssize_t count = write(fd, next, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        next += count;
        size -= (size_t)count;
    }
    return 0;
}

ssize_t fdio_read(int fd, void *out, size_t size)
{
    char *next = out;
    size_t left = size;

    while (left > 0) {
        ssize_t count = read(fd, next, left);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        next += count;
        left -= (size_t)count;
    }
    return (ssize_t)(size - left);
}

static ssize_t read_regular(int fd, char *out, size_t out_size)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -1;
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return -1;
    }
    /* The files of /proc say 0 and have more, so only reading tells the size. */
    ssize_t count = fdio_read(fd, out, out_size);
    if (count == (ssize_t)out_size) {
        errno = EFBIG;
        return -1;
    }
    if (count >= 0)
        out[count] = '\0';
    return count;
}

ssize_t fdio_read_file(const char *path, char *out, size_t out_size)
{
    /* O_NONBLOCK, so that the open of a FIFO does not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return -1;
    ssize_t count = read_regular(fd, out, out_size);
    int error = errno;
    close(fd);
    errno = error;
    return count;
}

void fdio_fill_streams(void)
{
    struct pollfd streams[] = { { .fd = STDIN_FILENO },
                                { .fd = STDOUT_FILENO },
                                { .fd = STDERR_FILENO } };

    if (poll(streams, sizeof streams / sizeof streams[0], 0) <= 0)
        return;
    /* Each open takes the lowest number that is free. */
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++)
        if ((streams[i].revents & POLLNVAL) && open("/dev/null", O_RDWR) < 0)
            return;
}

/* close_range is younger than some kernels and refused by some sandboxes. */
static void close_one_by_one(int first)
{
    struct rlimit limit = { .rlim_cur = FILES_MAX };

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = first; fd < FILES_MAX && (rlim_t)fd < limit.rlim_cur; fd++)
        close(fd);
}

void fdio_part_from(int first)
{
    (void)syscall(SYS_close_range, (unsigned)first, ~0U, CLOSE_RANGE_UNSHARE);
}

void fdio_close_from(int first)
{
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) < 0)
        close_one_by_one(first);
}
