/* The plan, with the checks that need to know more than words: stages and capabilities. */
#ifndef CMD_LOAD_H
#define CMD_LOAD_H

#include "base/fault.h"
#include "cmd/commands.h"
#include "plan/plan.h"

/* NULL: all faults are in `why`, and nothing may be run. Sets the log up as the plan wants it. */
const struct plan *load_plan(const struct invocation *invocation, struct fault *why);

#endif
