/*
 * One probe, for HEALTHCHECK and Kubernetes: 0, or 1 and one line of why. Cheap enough for each
 * second.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/exitcode.h"
#include "base/page.h"
#include "cmd/answer.h"
#include "cmd/commands.h"
#include "cmd/running.h"

/* What the freshinit that runs here knows of itself. Without one the server alone is asked. */
static int check_running(const struct running *running, struct fault *why)
{
    const struct state_record *record = &running->record;
    struct processes processes;

    if (!running->is_found)
        return 0;
    if (record->phase == STATE_STAGES)
        return fault_set(why, "the stages are not done yet, the server was not started");
    if (record->phase != STATE_SERVING)
        return fault_set(why, "freshinit is stopping");
    /* While a reload is under way, its old workers still may finish. */
    if (record->reload_ticks == 0 || record->is_reloading ||
        !running_processes(record, &processes) || processes.stale == 0)
        return 0;
    for (size_t i = 0; i < processes.count; i++)
        if (processes.items[i].is_stale)
            return fault_set(why, "process %d (%s) is from before the last reload, and still runs",
                             (int)processes.items[i].pid, processes.items[i].name);
    return 0;
}

static int ask(const struct plan *plan, const char *word, struct answer_target *target,
               struct fault *why)
{
    struct fault detail;
    struct answer answer;

    if (answer_target(plan, word, target, why) < 0)
        return -1;
    fault_clear(&detail);
    if (answer_ask(plan, target, &answer, &detail) < 0 ||
        answer_check_release(plan, &answer, &detail) < 0)
        return fault_set(why, "%s: %s", target->name, fault_line(&detail, 0));
    return 0;
}

int health_command(const struct invocation *invocation)
{
    const struct call *call = invocation->call;
    struct page page = { .fd = STDOUT_FILENO };
    struct answer_target target;
    struct running running;
    struct fault none;
    struct fault why;

    fault_clear(&why);
    if (call->word_count > 1) {
        fault_code(&why, EXIT_USAGE);
        fault_set(&why, "health takes one URL");
        return fault_report(&why);
    }
    const struct plan *plan = running_plan(invocation, &running, &none, &why);
    if (!plan)
        return fault_report(&why);
    if (check_running(&running, &why) == 0 &&
        ask(plan, call->word_count > 0 ? call->words[0] : NULL, &target, &why) == 0)
        page_add(&page, "ok: %s\n", target.name);
    else
        page_add(&page, "not healthy: %s\n", fault_line(&why, 0));
    if (page_end(&page) < 0)
        return EXIT_FAILED;
    return why.count == 0 ? 0 : EXIT_FAILED;
}
