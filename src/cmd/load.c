/*
 * Makes the plan, and lets those who know check and complete their part of it.
 */
#include "cmd/load.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "cmd/answer.h"
#include "cmd/probe.h"
#include "plan/build.h"
#include "plan/draft.h"
#include "proc/listen.h"
#include "proc/privs.h"
#include "server/adapt.h"
#include "server/way.h"
#include "stage/kinds.h"

/* The reload that was chosen, and why, is what people ask `check` for. */
static void note_way(struct plan *plan, const char *reason)
{
    static const char *const names[] = { "auto", "handover", "signal", "restart", "none" };
    char text[300];

    snprintf(text, sizeof text, "reload = %s: %s", names[plan->server.reload], reason);
    if (plan->added_count < ADDED_MAX)
        plan->added[plan->added_count++] = arena_text(text, strlen(text));
}

/* What was found wrong with a key of [server], with the place where it is written. */
static int place_faults(const struct plan *plan, const char *key, const struct fault *found,
                        struct fault *why)
{
    for (size_t i = 0; fault_line(found, i); i++)
        draft_fault(plan, KEY_SERVER, key, why, "%s", fault_line(found, i));
    return -1;
}

/* Nothing of it returns early: each adds its faults to the others'. */
static void complete_server(struct plan *plan, struct fault *why)
{
    const struct server_plan *server = &plan->server;
    const struct profile *profile = profiles_find(server->kind, &server->command);
    struct fault found;
    const char *reason;
    int result = 0;

    if (plan->init.is_tini || server->command.count == 0)
        return;
    fault_clear(&found);
    if (server->has_capabilities && privs_check(&server->capabilities, &found) < 0)
        result = place_faults(plan, "capabilities", &found, why);
    fault_clear(&found);
    if (listen_check(&server->listen, &found) < 0)
        result = place_faults(plan, "listen", &found, why);
    result |= probe_check(plan, why);
    result |= adapt_plan(plan, profile, why);
    if (way_choose(plan, profile, &plan->server.reload, &reason, why) == 0 && result == 0)
        note_way(plan, reason);
}

const struct plan *load_plan(const struct invocation *invocation, struct fault *why)
{
    if (arena_open(why) < 0)
        return NULL;
    struct plan *plan = build_plan(invocation->call, invocation->environment, why);
    if (!plan)
        return NULL;
    log_setup(plan->log, plan->log_level);
    complete_server(plan, why);
    answer_check(plan, why);
    for (size_t i = 0; i < plan->stage_count; i++) {
        const struct stage_kind *kind = kinds_find(plan->stages[i].action);
        if (kind && kind->check(plan, &plan->stages[i], why) < 0)
            continue;
    }
    return why->count == 0 ? plan : NULL;
}
