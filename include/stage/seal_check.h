/* The disk held against a seal. */
#ifndef STAGE_SEAL_CHECK_H
#define STAGE_SEAL_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "plan/plan.h"

enum seal_result { SEAL_NONE, SEAL_SAME, SEAL_DIFFERS, SEAL_BROKEN };

struct seal_report {
    enum seal_result result;
    int64_t files; /* sealed */
    char release[132];
    char names[1200]; /* SEAL_DIFFERS: what differs, with the first names; SEAL_BROKEN: why */
};

/* Sources and templates count; bytecode may come and go. */
void seal_check(const struct plan *plan, int64_t deadline_ms, struct seal_report *out);

#endif
