/*
 * Signals to one process, to a group, and to all that is left. EPERM and ESRCH are never fatal.
 */
#include "proc/group.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/signame.h"
#include "proc/privs.h"
#include "proc/procfs.h"

static void tell_refused(pid_t pid, int number)
{
    char signal_name[16];

    log_event(LOG_WARN, "signal.refused",
              LOG_FIELDS(LOG_NUMBER("pid", pid), LOG_NUMBER("signal", number)),
              "may not send SIG%s to process %d: %s",
              signame_text(number, signal_name, sizeof signal_name), (int)pid, strerror(errno));
}

/* Root without the capability KILL may signal no other user's process, but may act as that user.
 * False: errno is what it was. */
static bool act_as_owner(pid_t pid)
{
    int error = errno;
    uid_t user;
    bool can = error == EPERM && procfs_user(pid, &user) && privs_act_as(user);

    errno = error;
    return can;
}

static int send_to(pid_t pid, int number, enum group_scope scope)
{
    return kill(scope == GROUP_ALL ? -pid : pid, number);
}

void group_signal(pid_t pid, int number, enum group_scope scope)
{
    int result = send_to(pid, number, scope);

    if (result < 0 && act_as_owner(pid)) {
        result = send_to(pid, number, scope);
        privs_be_root();
    }
    if (result < 0 && errno != ESRCH)
        tell_refused(pid, number);
}

/* A pidfd stands for one process even if its number is given to another one meanwhile. */
static int open_exact(pid_t pid, uint64_t start)
{
    struct procfs_entry entry;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0U);

    if (fd < 0)
        return -1;
    if (procfs_read(pid, &entry) && entry.start == start)
        return fd;
    close(fd);
    errno = ESRCH;
    return -1;
}

bool group_signal_exact(pid_t pid, uint64_t start, int number)
{
    struct procfs_entry entry;
    int fd = open_exact(pid, start);
    int result;

    if (fd >= 0) {
        result = (int)syscall(SYS_pidfd_send_signal, fd, number, NULL, 0U);
        if (result < 0 && act_as_owner(pid)) {
            result = (int)syscall(SYS_pidfd_send_signal, fd, number, NULL, 0U);
            privs_be_root();
        }
        int error = errno;
        close(fd);
        errno = error;
    } else if (errno == ENOSYS || errno == EPERM) {
        /* An old kernel, or a sandbox that knows no pidfd. */
        result = procfs_read(pid, &entry) && entry.start == start ? kill(pid, number) : -1;
    } else {
        return false;
    }
    if (result < 0 && errno != ESRCH)
        tell_refused(pid, number);
    return result == 0;
}

/* Is it ours to end when we are not PID 1: a descendant that still runs? */
static bool is_left(const struct procfs_entry *entry, pid_t self)
{
    if (entry->pid == self || entry->state == 'Z')
        return false;
    return self == 1 || procfs_descends(entry->pid, self);
}

static void sweep_descendants(int number)
{
    struct procfs_walk walk;
    struct procfs_entry entry;
    pid_t self = getpid();

    if (!procfs_open(&walk)) {
        log_event(LOG_WARN, "sweep.blind", LOG_NONE,
                  "can't read /proc, so what the server left behind can't be found");
        return;
    }
    while (procfs_next(&walk, &entry)) {
        if (!is_left(&entry, self))
            continue;
        group_signal_exact(entry.pid, entry.start, number);
        if (number != SIGKILL && entry.state == 'T')
            group_signal_exact(entry.pid, entry.start, SIGCONT);
    }
}

void group_sweep(int number)
{
    /* One call for all would pass over other users without a word. */
    bool is_weak_root = geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_KILL, 0, 0, 0) == 0;

    if (getpid() != 1 || is_weak_root) {
        sweep_descendants(number);
        return;
    }
    /* So that a process that forks while it is looked for can't get away. */
    kill(-1, number);
    if (number != SIGKILL)
        kill(-1, SIGCONT);
}

bool group_is_alone(void)
{
    return kill(-1, 0) < 0 && errno == ESRCH;
}

bool group_has(pid_t pid)
{
    return kill(pid, 0) == 0 || errno != ESRCH;
}

size_t group_name_rest(pid_t group, pid_t except, char *out, size_t out_size)
{
    enum { NAMED_MAX = 12 };
    struct procfs_walk walk;
    struct procfs_entry entry;
    pid_t self = getpid();
    size_t count = 0;
    size_t used = 0;

    out[0] = '\0';
    if (!procfs_open(&walk))
        return 0;
    while (procfs_next(&walk, &entry)) {
        if ((group != 0 && entry.group != group) || entry.pid == except || !is_left(&entry, self) ||
            ++count > NAMED_MAX)
            continue;
        int length = snprintf(out + used, out_size - used, "%s%d (%s)", used > 0 ? ", " : "",
                              (int)entry.pid, entry.name);
        if (length > 0)
            used += (size_t)length < out_size - used ? (size_t)length : out_size - used - 1;
    }
    if (count > NAMED_MAX)
        snprintf(out + used, out_size - used, " and %zu more", count - NAMED_MAX);
    return count;
}

void group_suspend_self(void)
{
    kill(getpid(), SIGSTOP);
}
