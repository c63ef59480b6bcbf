/* Which reload keeps no old code, for this server and these arguments. */
#ifndef SERVER_WAY_H
#define SERVER_WAY_H

#include "base/attr.h"
#include "base/fault.h"
#include "plan/plan.h"
#include "server/profiles.h"

/* Never RELOAD_AUTO; `out_reason` is for `check`. What was asked for and can't be is a fault. */
MUST_USE int way_choose(const struct plan *plan, const struct profile *profile, enum reload *out,
                        const char **out_reason, struct fault *why);

/* A single uvicorn ends when its requests are done: freshinit is its recycling. */
bool way_recycles(const struct plan *plan, const struct profile *profile);

#endif
