/* Waits for events, asks the policy, does what it says, until nothing is left to do. */
#ifndef INIT_LOOP_H
#define INIT_LOOP_H

#include "base/attr.h"
#include "init/job.h"
#include "init/pid1.h"
#include "plan/plan.h"

/* Returns the exit status of the container. */
MUST_USE int loop_run(const struct jobs *jobs, const struct plan *plan, const struct pid1 *self);

#endif
