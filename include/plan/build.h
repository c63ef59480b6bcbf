/* The sources in their order, the check, the seal. */
#ifndef PLAN_BUILD_H
#define PLAN_BUILD_H

#include "base/attr.h"
#include "base/fault.h"
#include "plan/argv.h"
#include "plan/plan.h"

/* Reads everything once. All faults are in `why`, not only the first; with any fault nothing may be
 * run, but the plan is returned all the same, so that later checks can add theirs (NULL where there
 * is nothing to check). Needs arena_open. */
struct plan *build_plan(const struct call *call, char *const *environment, struct fault *why);

#endif
