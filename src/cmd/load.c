/*
 * Makes the plan, and lets those who know check their part of it.
 */
#include "cmd/load.h"

#include "base/arena.h"
#include "base/log.h"
#include "plan/build.h"
#include "proc/privs.h"
#include "stage/kinds.h"

const struct plan *load_plan(const struct invocation *invocation, struct fault *why)
{
    if (arena_open(why) < 0)
        return NULL;
    const struct plan *plan = build_plan(invocation->call, invocation->environment, why);
    if (!plan)
        return NULL;
    log_setup(plan->log, plan->log_level);
    /* Their results are in `why`, whose lines count. */
    if (plan->server.has_capabilities && privs_check(&plan->server.capabilities, why) < 0)
        return NULL;
    for (size_t i = 0; i < plan->stage_count; i++) {
        const struct stage_kind *kind = kinds_find(plan->stages[i].action);
        if (kind && kind->check(plan, &plan->stages[i], why) < 0)
            continue;
    }
    return why->count == 0 ? plan : NULL;
}
