/* Users and groups from passwd and group, read by ourselves: NSS is not in a static binary. */
#ifndef PLAN_USERS_H
#define PLAN_USERS_H

#include "base/attr.h"
#include "base/fault.h"
#include "plan/plan.h"

/* `text` is user[:group], names or numbers; `etc` the folder of the two files. With a group it is
 * the only one, without it also those that list the user. A number needs no entry: its group is
 * then the same number, never 0 by silence, and its home "/". */
MUST_USE int users_find(const char *etc, const char *text, struct identity *out, struct fault *why);

#endif
