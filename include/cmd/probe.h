/* Is the server that was just started ready? Runs in a child of its own, as the server's user. */
#ifndef CMD_PROBE_H
#define CMD_PROBE_H

#include <stdbool.h>
#include <sys/types.h>

#include "plan/plan.h"
#include "proc/listen.h"
#include "proc/notify.h"

/* 0 when the server whose process group this is answers, 1 when its time is over; says why. While
 * another generation listens on the same address, only an answer of this one counts. */
int probe_server(const struct plan *plan, pid_t group, const struct listeners *listeners,
                 const struct notify *notify);

/* Does the server say itself when it is ready? */
bool probe_is_notified(const struct plan *plan);

/* Is it asked? Then its workers can be asked after their own reload as well. */
bool probe_asks(const struct plan *plan);

/* A fault in `ready` that no server could mend. */
int probe_check(const struct plan *plan, struct fault *why);

#endif
