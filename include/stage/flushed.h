/* Was a cache flushed for this release? Looks at the marker of once = release alone. */
#ifndef STAGE_FLUSHED_H
#define STAGE_FLUSHED_H

#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/url.h"
#include "plan/plan.h"
#include "stage/once.h"

struct flushed {
    const struct plan *plan;
    const struct stage_plan *stage;
    const struct url *url;
    int64_t deadline_ms;
};

/* 1 with who did it and when; 0: it was not; -1: it can't be asked. */
MUST_USE int flushed_look(const struct flushed *flushed, struct once_mark *out, struct fault *why);

#endif
