/*
 * The first instructions: signals blocked, standard streams open, orphans ours.
 */
#include "init/pid1.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proc/sigfd.h"

/* With stdin, stdout or stderr closed, the next file to be opened would become it. */
static int keep_clear_of_streams(int fd, struct fault *why)
{
    if (fd > STDERR_FILENO)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    if (moved < 0)
        return fault_errno(why, "can't move a descriptor");
    /* Each open takes the lowest free number, so this fills the gaps. */
    int filler;
    do
        filler = open("/dev/null", O_RDWR);
    while (filler >= 0 && filler < STDERR_FILENO);
    if (filler > STDERR_FILENO)
        close(filler);
    return moved;
}

int pid1_prepare(struct pid1 *out, struct fault *why)
{
    int signals = sigfd_open(why);

    if (signals < 0)
        return -1;
    signals = keep_clear_of_streams(signals, why);
    if (signals < 0)
        return -1;
    *out = (struct pid1){ .signals = signals, .is_pid1 = getpid() == 1 };
    /* What our descendants leave comes to us instead of a PID 1 that is not ours. */
    if (!out->is_pid1 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return fault_errno(why, "can't become a subreaper");
    out->has_terminal = tcgetpgrp(STDIN_FILENO) == getpgrp();
    return 0;
}

void pid1_give_terminal(const struct pid1 *self, pid_t group)
{
    /* SIGTTOU is blocked, so this works from the background too. */
    if (self->has_terminal)
        tcsetpgrp(STDIN_FILENO, group);
}

int pid1_follow_parent(int number, struct fault *why)
{
    if (number != 0 && prctl(PR_SET_PDEATHSIG, number, 0, 0, 0) < 0)
        return fault_errno(why, "can't follow the parent process");
    return 0;
}
