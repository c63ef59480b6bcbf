/* What a reload reads again: the release alone. In children only: PID 1's plan never changes. */
#ifndef PLAN_RENEW_H
#define PLAN_RENEW_H

#include "plan/plan.h"

/* Says so when the configuration file has changed since the start. */
void renew_tell_config(const struct plan *plan);

/* The plan itself where the release is the one of the start; else a copy that has the new one, also
 * in [env] and in the environment. */
const struct plan *renew_plan(const struct plan *plan);

#endif
