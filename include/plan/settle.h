/* Texts to values: ${NAME} put in, converted, defaults that depend on other keys filled in. */
#ifndef PLAN_SETTLE_H
#define PLAN_SETTLE_H

#include "base/fault.h"
#include "plan/plan.h"

/* Every value of the plan but the environment of children. Sets the log up as soon as its keys are
 * known, so that what follows is logged as wanted. Each bad value is a fault. */
void settle_plan(struct plan *plan, char *const *environment, int verbosity, struct fault *why);

#endif
