/* What must hold between keys. */
#ifndef PLAN_RULES_H
#define PLAN_RULES_H

#include "base/fault.h"
#include "plan/plan.h"

/* Each broken rule is a fault that names the place and what to write. What only the kind of a stage
 * knows (URLs, patterns, roots) is not looked at. */
void rules_check(const struct plan *plan, struct fault *why);

/* A fault where there is no command to run: of usage (EXIT_USAGE; 1 for tini, as it has it). */
void rules_need_command(const struct plan *plan, struct fault *why);

#endif
