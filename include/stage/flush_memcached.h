/* Forgets all that a memcached holds: it can do no less. */
#ifndef STAGE_FLUSH_MEMCACHED_H
#define STAGE_FLUSH_MEMCACHED_H

#include "base/attr.h"
#include "base/fault.h"
#include "base/url.h"
#include "stage/stage.h"

int flush_memcached_check(const struct plan *plan, const struct stage_plan *stage,
                          const struct url *url, struct fault *why);

/* One server of the run's first stage. */
MUST_USE int flush_memcached_run(const struct stage_run *run, const struct url *url,
                                 struct fault *why);

#endif
