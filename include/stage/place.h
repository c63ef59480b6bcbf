/* A fault of a stage, with the place in the configuration to put the cursor. */
#ifndef STAGE_PLACE_H
#define STAGE_PLACE_H

#include "base/attr.h"
#include "base/fault.h"
#include "plan/plan.h"

/* "/etc/freshinit.ini:12: [stage cache] " and the sentence. Returns -1. */
int place_fault(const struct plan *plan, const struct stage_plan *stage, struct fault *why,
                const char *format, ...) PRINTF_LIKE(4, 5);

#endif
