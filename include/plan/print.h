/* The effective plan in the form of the ini file, each value with where it came from. */
#ifndef PLAN_PRINT_H
#define PLAN_PRINT_H

#include <stddef.h>

#include "base/attr.h"
#include "plan/plan.h"

/* Passwords, users and queries of URLs are masked; commands and [env] are shown as written, so that
 * nothing of the environment gets out. -1 with errno when it can't be written. */
MUST_USE int print_plan(const struct plan *plan, int fd);

/* `text` with the secret parts of its URLs as stars. Returns `out`. */
const char *print_masked(const char *text, char *out, size_t out_size);

#endif
