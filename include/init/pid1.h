/* What freshinit is among the processes: PID 1 or not, with a terminal or not. */
#ifndef INIT_PID1_H
#define INIT_PID1_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/fault.h"

struct pid1 {
    bool is_pid1;
    bool has_terminal; /* its foreground group is ours to give away */
};

/* First of all, so that no signal is lost while the plan is read. */
MUST_USE int pid1_prepare(struct pid1 *out, struct fault *why);

/* The foreground of our terminal goes to that process group; without a terminal nothing happens. */
void pid1_give_terminal(const struct pid1 *self, pid_t group);

/* -p: the signal that freshinit gets when its own parent ends. */
MUST_USE int pid1_follow_parent(int number, struct fault *why);

#endif
