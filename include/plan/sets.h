/* --set and the options that stand for a key. */
#ifndef PLAN_SETS_H
#define PLAN_SETS_H

#include "base/fault.h"
#include "plan/argv.h"
#include "plan/plan.h"

/* Puts each at the place of its key; one that has none is a fault. */
void sets_apply(struct plan *plan, const struct call *call, struct fault *why);

#endif
