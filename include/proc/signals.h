/* Signals as events: all blocked, and read one by one. */
#ifndef PROC_SIGNALS_H
#define PROC_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/fault.h"

struct signals_event {
    int number;
    pid_t sender;        /* 0: the kernel, or a process outside our namespace */
    bool is_from_kernel; /* of HUP: the terminal hung up */
};

/* From here on no signal acts by itself: each waits until it is read. */
MUST_USE int signals_block(struct fault *why);

/* The next signal, waited for until the deadline (of clock_ms); false when none has come. */
bool signals_next(int64_t deadline_ms, struct signals_event *out);

/* In a child: every signal at its default, none blocked. But SIGPIPE is ignored: a log that nobody
 * reads ends nobody. */
void signals_restore(void);

#endif
