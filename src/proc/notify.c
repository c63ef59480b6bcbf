/*
 * Owns the socket behind NOTIFY_SOCKET: made by PID 1, read in the probe's child.
 */
#include "proc/notify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/procfs.h"

enum { MESSAGE_SIZE = 4096 };

int notify_open(struct notify *out, struct fault *why)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t length = sizeof address.sun_family;
    int yes = 1;

    *out = (struct notify){ .fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
    if (out->fd < 0) {
        *out = (struct notify){ 0 };
        return fault_errno(why, "can't make a socket for NOTIFY_SOCKET");
    }
    /* Without a name of ours the kernel chooses one, which is no file. */
    if (setsockopt(out->fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0 ||
        bind(out->fd, (const struct sockaddr *)&address, length) < 0) {
        fault_errno(why, "can't name the socket for NOTIFY_SOCKET");
        notify_close(out);
        return -1;
    }
    length = sizeof address;
    if (getsockname(out->fd, (struct sockaddr *)&address, &length) == 0)
        snprintf(out->name, sizeof out->name, "@%.*s",
                 (int)(length - offsetof(struct sockaddr_un, sun_path) - 1), address.sun_path + 1);
    return 0;
}

void notify_close(struct notify *notify)
{
    if (notify->fd > 0)
        close(notify->fd);
    *notify = (struct notify){ 0 };
}

static bool is_of_group(pid_t pid, pid_t group)
{
    struct procfs_entry entry;

    return pid == group || (procfs_read(pid, &entry) && procfs_belongs(&entry, group));
}

/* The sender of the next message, 0 when none came in time or it could not be told. */
static pid_t receive(int fd, char *text, size_t text_size)
{
    char room[CMSG_SPACE(sizeof(struct ucred))] __attribute__((aligned(8)));
    struct iovec piece = { .iov_base = text, .iov_len = text_size - 1 };
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room
    };
    struct ucred sender = { 0 };

    ssize_t length = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    text[length > 0 ? length : 0] = '\0';
    const struct cmsghdr *head = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_CREDENTIALS)
        memcpy(&sender, CMSG_DATA(head), sizeof sender);
    return sender.pid;
}

static bool says_ready(const char *text)
{
    static const char ready[] = "READY=1";

    for (; *text != '\0'; text += *text == '\n') {
        size_t length = strcspn(text, "\n");
        if (length == sizeof ready - 1 && memcmp(text, ready, length) == 0)
            return true;
        text += length;
    }
    return false;
}

int notify_await(const struct notify *notify, pid_t group, int64_t deadline_ms, struct fault *why)
{
    char text[MESSAGE_SIZE];
    int left_ms;

    while ((left_ms = clock_left(deadline_ms)) != 0) {
        struct timeval patience = { .tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000 };
        if (setsockopt(notify->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0)
            return fault_errno(why, "can't wait for READY=1");
        pid_t sender = receive(notify->fd, text, sizeof text);
        if (sender != 0 && says_ready(text) && is_of_group(sender, group))
            return 0;
    }
    return fault_set(why, "no process of the server has sent READY=1 to NOTIFY_SOCKET");
}
