/* The environment of children. */
#ifndef PLAN_ENVIRON_H
#define PLAN_ENVIRON_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/fault.h"
#include "plan/plan.h"

/* Makes plan->environment: ours, [env], and with secrets = yes X for X_FILE, less what would
 * mislead a server. `is_lenient`: a secret that can't be read is a warning. */
MUST_USE int environ_build(struct plan *plan, char *const *environment, bool is_lenient,
                           struct fault *why);

#endif
