/*
 * Directories by descriptor. The only file of the stages that opens or removes anything by name;
 * never follows a link to a directory, never crosses a mount, never keeps a path.
 */
#include "stage/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fdio.h"

enum { OPEN_DIR = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK };

/* The kernel's struct statx: musl has none, and glibc's lacks the mount where it is old. */
struct kernel_time {
    int64_t sec;
    uint32_t nsec;
    int32_t spare;
};

struct kernel_stat {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, spare0;
    uint64_t inode, size, blocks, attributes_mask;
    struct kernel_time atime, btime, ctime, mtime;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t mount, spare[13];
};
_Static_assert(sizeof(struct kernel_stat) == 256, "the kernel writes this much");

enum { WANT_BASIC = 0x7ff, WANT_BIRTH = 0x800, WANT_MOUNT = 0x1000 };

struct kernel_entry {
    uint64_t inode;
    int64_t next;
    uint16_t size;
    unsigned char type;
    char name[];
};

static bool is_refused(int error)
{
    /* Old seccomp profiles answer EPERM to what they do not know, others ENOSYS. */
    return error == ENOSYS || error == EPERM;
}

static struct timespec time_of(struct kernel_time time)
{
    return (struct timespec){ .tv_sec = (time_t)time.sec, .tv_nsec = (long)time.nsec };
}

static int stat_plainly(int dir, const char *name, int flags, struct tree_stat *out)
{
    struct stat st;

    if (fstatat(dir, name, &st, flags) < 0)
        return -1;
    *out = (struct tree_stat){
        .mode = st.st_mode,
        .links = (uint32_t)st.st_nlink,
        .size = st.st_size,
        .device = st.st_dev,
        .inode = st.st_ino,
        .modified = st.st_mtim,
        .changed = st.st_ctim,
    };
    return 0;
}

int tree_stat(int dir, const char *name, bool follows, struct tree_stat *out)
{
    struct kernel_stat st;
    int flags = (follows ? 0 : AT_SYMLINK_NOFOLLOW) | (*name == '\0' ? AT_EMPTY_PATH : 0);

    if (syscall(SYS_statx, dir, name, flags, WANT_BASIC | WANT_BIRTH | WANT_MOUNT, &st) < 0) {
        if (!is_refused(errno))
            return -1;
        return stat_plainly(dir, name, flags, out);
    }
    *out = (struct tree_stat){
        .mode = st.mode,
        .links = st.links,
        .size = (int64_t)st.size,
        .device = makedev(st.dev_major, st.dev_minor),
        .inode = st.inode,
        .modified = time_of(st.mtime),
        .changed = time_of(st.ctime),
        .mount = st.mask & WANT_MOUNT ? st.mount : 0,
    };
    if (st.mask & WANT_BIRTH)
        out->born = time_of(st.btime);
    return 0;
}

/* From fdinfo where statx does not say; 0 when nothing does. */
static uint64_t mount_of(int fd)
{
    struct tree_stat st;
    char path[64];
    char text[1024];

    if (tree_stat(fd, "", false, &st) == 0 && st.mount != 0)
        return st.mount;
    snprintf(path, sizeof path, "/proc/thread-self/fdinfo/%d", fd);
    if (fdio_read_file(path, text, sizeof text) < 0)
        return 0;
    const char *line = strstr(text, "mnt_id:");
    return line ? strtoull(line + strlen("mnt_id:"), NULL, 10) : 0;
}

static int open_how(int dir, const char *name, int flags, uint64_t resolve)
{
    struct open_how how = { .flags = (unsigned)flags, .resolve = resolve };

    return (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
}

void tree_close(int fd)
{
    int error = errno;

    if (fd >= 0)
        close(fd);
    errno = error;
}

/* What openat2 would have refused is refused by comparing mounts. */
static int open_step(int dir, const char *name)
{
    int fd = openat(dir, name, OPEN_DIR);
    if (fd < 0)
        return -1;
    uint64_t mount = mount_of(fd);
    if (mount != 0 && mount == mount_of(dir))
        return fd;
    errno = EXDEV;
    tree_close(fd);
    return -1;
}

static int open_plainly(int dir, const char *name)
{
    /* O_DIRECTORY answers ENOTDIR for a link; ELOOP is what the caller knows. */
    return openat(dir, name, OPEN_DIR);
}

/* From `fd`, which is closed, step by step, so that no component can be a link. */
static int by_steps(int fd, const char *path, int (*step)(int dir, const char *name))
{
    while (fd >= 0 && *path != '\0') {
        char name[256];
        size_t length = strcspn(path, "/");
        if (length >= sizeof name) {
            tree_close(fd);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, path, length);
        name[length] = '\0';
        path += length + strspn(path + length, "/");
        if (length == 0)
            continue;
        int below = step(fd, name);
        tree_close(fd);
        fd = below;
    }
    return fd;
}

int tree_open(int dir, const char *path)
{
    int fd = open_how(dir, path, OPEN_DIR, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
    if (fd >= 0 || !is_refused(errno))
        return fd;
    return by_steps(fcntl(dir, F_DUPFD_CLOEXEC, 0), path, open_step);
}

int tree_root(const char *path)
{
    int fd = open_how(AT_FDCWD, path, OPEN_DIR, RESOLVE_NO_SYMLINKS);
    if (fd >= 0 || !is_refused(errno))
        return fd;
    return by_steps(open("/", OPEN_DIR), path, open_plainly);
}

int tree_parent(int dir, uint64_t device, uint64_t inode)
{
    struct tree_stat st;
    int fd = openat(dir, "..", OPEN_DIR);

    if (fd < 0)
        return -1;
    if (tree_stat(fd, "", false, &st) == 0 && st.device == device && st.inode == inode)
        return fd;
    tree_close(fd);
    errno = ESTALE;
    return -1;
}

/* O_PATH opens nothing yet, so that what it turns out to be can be looked at first. */
static int file_behind_link(int dir, const char *name)
{
    char path[64];
    struct stat st;
    int fd = openat(dir, name, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return -1;
    int file = -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        snprintf(path, sizeof path, "/proc/thread-self/fd/%d", fd);
        file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    } else {
        errno = EINVAL;
    }
    tree_close(fd);
    return file;
}

int tree_file(int dir, const char *name, bool follows)
{
    if (follows)
        return file_behind_link(dir, name);
    return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

ssize_t tree_read(int dir, char *room, size_t size)
{
    return (ssize_t)syscall(SYS_getdents64, dir, room, size);
}

int tree_seek(int dir, int64_t position)
{
    return lseek(dir, (off_t)position, SEEK_SET) < 0 ? -1 : 0;
}

static bool is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

bool tree_next(struct tree_cursor *cursor, struct tree_entry *out)
{
    while (cursor->at < cursor->end) {
        const struct kernel_entry *entry = (const void *)cursor->at;
        cursor->at += entry->size;
        if (is_dots(entry->name))
            continue;
        *out = (struct tree_entry){ entry->name, strlen(entry->name), entry->type, entry->next };
        return true;
    }
    return false;
}

int tree_remove(int dir, const char *name, bool is_directory)
{
    return unlinkat(dir, name, is_directory ? AT_REMOVEDIR : 0);
}
