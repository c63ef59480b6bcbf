/*
 * The build-time stages alone: for a Dockerfile's RUN, for CI, for a host.
 */
#include <string.h>

#include "base/arena.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/jobs.h"
#include "cmd/load.h"
#include "init/loop.h"
#include "init/pid1.h"
#include "plan/guess.h"

/* Else the nearest one is in `guess`. */
static bool is_known(const struct plan *plan, const char *target, struct guess *guess)
{
    guess_start(guess, target);
    for (size_t i = 0; i < plan->stage_count; i++)
        for (size_t j = 0; j < plan->stages[i].targets.count; j++) {
            const char *known = plan->stages[i].targets.items[j];
            if (strcmp(target, known) == 0)
                return true;
            guess_offer(guess, known);
        }
    return false;
}

static int check_targets(const struct plan *plan, const struct words *targets, struct fault *why)
{
    struct guess guess;
    char meant[GUESS_TEXT_SIZE];

    for (size_t i = 0; i < targets->count; i++)
        if (!is_known(plan, targets->items[i], &guess))
            fault_set(why, "clean %s: no stage has targets = %s%s", targets->items[i],
                      targets->items[i], guess_text(&guess, meant));
    if (why->count == 0)
        return 0;
    fault_code(why, EXIT_USAGE);
    return -1;
}

static bool has_build_stage(const struct jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->items[i].when & WHEN_BUILD)
            return true;
    return false;
}

int clean_command(const struct invocation *invocation)
{
    const struct call *call = invocation->call;
    struct words targets = { .items = call->words, .count = call->word_count };
    struct jobs_wanted wanted = { .phase = WHEN_BUILD,
                                  .targets = &targets,
                                  .is_dry = call->is_dry };
    struct pid1 self;
    struct jobs jobs;
    struct fault why;

    fault_clear(&why);
    if (pid1_prepare(&self, &why) < 0)
        return fault_report(&why);
    const struct plan *plan = load_plan(invocation, &why);
    if (!plan || check_targets(plan, &targets, &why) < 0)
        return fault_report(&why);
    jobs_from_plan(plan, &wanted, &jobs);
    if (!has_build_stage(&jobs)) {
        log_event(LOG_WARN, "clean.nothing", LOG_NONE,
                  "nothing to do: no stage has \"build\" in its when =");
        return 0;
    }
    if (arena_seal(&why) < 0)
        return fault_report(&why);
    return loop_run(&jobs, plan, &self);
}
