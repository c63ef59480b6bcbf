/*
 * Reads /proc/PID/stat. By system calls and fixed buffers: PID 1 has no heap.
 */
#include "proc/procfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fdio.h"

/* The kernel's flag of a process that has made no exec since its fork. */
enum { PF_FORKNOEXEC = 0x40 };

/* The kernel's layout: libc's readdir would allocate. */
struct kernel_dirent {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

/* Skips `count` fields and reads the number that follows. */
static uint64_t field(const char **text, int count)
{
    const char *next = *text;

    while (count-- > 0) {
        next += strcspn(next, " ");
        next += strspn(next, " ");
    }
    char *end;
    uint64_t value = strtoull(next, &end, 10);
    *text = end + strspn(end, " ");
    return value;
}

bool procfs_read(pid_t pid, struct procfs_entry *out)
{
    char path[32];
    char text[1024];

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (fdio_read_file(path, text, sizeof text) <= 0)
        return false;
    /* The name may hold anything, also brackets: it ends at the last one. */
    char *name = strchr(text, '(');
    char *end = strrchr(text, ')');
    if (!name || !end || end[1] != ' ' || end[2] == '\0')
        return false;
    *end = '\0';
    escape_text(name + 1, out->name, sizeof out->name);
    out->pid = pid;
    out->state = end[2];
    const char *rest = end + 2;
    out->parent = (pid_t)field(&rest, 1);
    out->group = (pid_t)field(&rest, 0);
    out->has_execed = !(field(&rest, 3) & PF_FORKNOEXEC);
    out->start = field(&rest, 12);
    return true;
}

/* A /proc of another PID namespace, such as the host's, would give our numbers to strangers. */
static bool is_of_our_namespace(void)
{
    char self[16];
    ssize_t length = readlink("/proc/self", self, sizeof self - 1);

    self[length > 0 ? length : 0] = '\0';
    return strtol(self, NULL, 10) == getpid();
}

bool procfs_user(pid_t pid, uid_t *out)
{
    char path[32];
    struct stat st;

    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    if (!is_of_our_namespace() || stat(path, &st) < 0)
        return false;
    *out = st.st_uid;
    return true;
}

bool procfs_open(struct procfs_walk *walk)
{
    if (!is_of_our_namespace())
        return false;
    walk->used = 0;
    walk->next = 0;
    walk->fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return walk->fd >= 0;
}

/* The next name of digits; 0 after the last one. */
static pid_t next_pid(struct procfs_walk *walk)
{
    for (;;) {
        if (walk->next >= walk->used) {
            long count = syscall(SYS_getdents64, walk->fd, walk->buffer, sizeof walk->buffer);
            if (count <= 0)
                return 0;
            walk->used = (size_t)count;
            walk->next = 0;
        }
        const struct kernel_dirent *entry = (const void *)(walk->buffer + walk->next);
        walk->next += entry->length;
        if (entry->name[0] >= '1' && entry->name[0] <= '9')
            return (pid_t)strtol(entry->name, NULL, 10);
    }
}

bool procfs_next(struct procfs_walk *walk, struct procfs_entry *out)
{
    pid_t pid;

    while ((pid = next_pid(walk)) > 0)
        if (procfs_read(pid, out))
            return true;
    close(walk->fd);
    return false;
}

bool procfs_descends(pid_t pid, pid_t ancestor)
{
    struct procfs_entry entry = { .parent = pid };

    /* A chain can't be longer than there are processes; a race may send us round in it. */
    for (int steps = 0; steps < 4096; steps++) {
        if (entry.parent <= 1 || !procfs_read(entry.parent, &entry))
            return false;
        if (entry.parent == ancestor)
            return true;
    }
    return false;
}

bool procfs_is_helper(pid_t pid)
{
    static const char word[] = "resource_tracker";
    char path[32];
    char text[512];

    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    ssize_t length = fdio_read_file(path, text, sizeof text);
    return length > 0 && memmem(text, (size_t)length, word, sizeof word - 1) != NULL;
}

bool procfs_belongs(const struct procfs_entry *entry, pid_t leader)
{
    return entry->group == leader || procfs_descends(entry->pid, leader);
}
