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

/* The value that children get, or NULL. */
const char *environ_get(const struct plan *plan, const char *name);

/* One variable more, or another value. There is room for ENVIRON_PUTS_MAX new names. */
enum { ENVIRON_PUTS_MAX = 6 };
void environ_put(struct plan *plan, const char *name, const char *value);

#endif
