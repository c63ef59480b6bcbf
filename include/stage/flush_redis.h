/* Forgets keys of a redis database, or all of it. */
#ifndef STAGE_FLUSH_REDIS_H
#define STAGE_FLUSH_REDIS_H

#include "base/attr.h"
#include "base/fault.h"
#include "base/url.h"
#include "stage/stage.h"

int flush_redis_check(const struct plan *plan, const struct stage_plan *stage,
                      const struct url *url, struct fault *why);

/* One server of the run's first stage. */
MUST_USE int flush_redis_run(const struct stage_run *run, const struct url *url, struct fault *why);

#endif
