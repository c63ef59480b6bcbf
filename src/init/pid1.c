/*
 * The first instructions: signals blocked, orphans ours.
 */
#include "init/pid1.h"

#include <sys/prctl.h>
#include <unistd.h>

#include "proc/signals.h"

int pid1_prepare(struct pid1 *out, struct fault *why)
{
    if (signals_block(why) < 0)
        return -1;
    *out = (struct pid1){ .is_pid1 = getpid() == 1 };
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
