/* The text of a key to its value. */
#ifndef PLAN_VALUES_H
#define PLAN_VALUES_H

#include "base/attr.h"
#include "base/fault.h"
#include "plan/keys.h"

/* `base` is the struct plan, for keys of KEY_STAGE the struct stage_plan. The fault says what was
 * wrong, and not where. */
MUST_USE int values_set(const struct key *key, void *base, const char *text, struct fault *why);

#endif
