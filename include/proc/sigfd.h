/* Signals as a readable descriptor. */
#ifndef PROC_SIGFD_H
#define PROC_SIGFD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/fault.h"

struct sigfd_event {
    int number;
    pid_t sender;        /* 0: the kernel, or a process outside our namespace */
    bool is_from_kernel; /* of HUP: the terminal hung up */
};

/* Blocks every signal, so that each waits in the descriptor until it is read. Returns it, or -1. */
MUST_USE int sigfd_open(struct fault *why);

/* The next waiting signal; false when there is none. Never blocks. */
bool sigfd_next(int fd, struct sigfd_event *out);

/* In a child: every signal at its default, none blocked. */
void sigfd_restore(void);

#endif
