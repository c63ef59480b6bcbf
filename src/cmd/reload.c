/*
 * Asks the freshinit that runs here to reload, waits, and says how it went.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/page.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/running.h"
#include "proc/group.h"

enum { LOOK_MS = 50, MARGIN_MS = 10000 };

/* How long a reload may take at most: its stages, the new server, the end of the old one. */
static int64_t longest_ms(const struct plan *plan)
{
    int64_t ms = plan->server.ready_timeout_ms + plan->server.stop_timeout_ms +
                 plan->server.stale_worker_timeout_ms + MARGIN_MS;

    for (size_t i = 0; i < plan->stage_count; i++)
        if (plan->stages[i].when & WHEN_RELOAD)
            ms += plan->stages[i].timeout_ms;
    return ms;
}

static uint32_t reloads(const struct state_record *record)
{
    return record->reloads_done + record->reloads_failed;
}

/* Until the record tells of one more reload that is over; one under way comes first. */
static int await(const struct plan *plan, struct running *running, struct fault *why)
{
    int64_t deadline_ms = clock_ms() + longest_ms(plan);
    uint32_t wanted = reloads(&running->record) + (running->record.is_reloading ? 2 : 1);
    char limit[32];

    while (reloads(&running->record) < wanted) {
        if (clock_left(deadline_ms) == 0)
            return fault_set(why, "no word of a reload after %s",
                             text_show_ms(longest_ms(plan), limit, sizeof limit));
        clock_rest(LOOK_MS);
        if (running_find(plan->state_dir, running, why) < 0)
            return -1;
    }
    return 0;
}

static int reload(const struct plan *plan, struct running *running, struct fault *why)
{
    const struct state_record *record = &running->record;
    uint32_t failed = record->reloads_failed;

    if (record->phase != STATE_SERVING)
        return fault_set(why, "freshinit (pid %d) does not serve now", record->pid);
    if (record->reload == RELOAD_AUTO || record->reload == RELOAD_NONE)
        return fault_set(why, "this server is not reloaded: it is none that freshinit knows, or "
                              "the configuration says reload = none");
    if (!group_signal_exact(record->pid, record->start, SIGHUP))
        return fault_errno(why, "can't ask freshinit (pid %d)", record->pid);
    if (await(plan, running, why) < 0)
        return -1;
    if (record->reloads_failed > failed)
        return fault_set(why, "the log of freshinit (pid %d) says why", record->pid);
    return 0;
}

int reload_command(const struct invocation *invocation)
{
    struct page page = { .fd = STDOUT_FILENO };
    struct running running;
    struct fault none;
    struct fault why;

    fault_clear(&why);
    const struct plan *plan = running_plan(invocation, &running, &none, &why);
    if (!plan)
        return fault_report(&why);
    if (!running.is_found)
        page_add(&page, "Reload failed: %s\n", fault_line(&none, 0));
    else if (reload(plan, &running, &why) < 0)
        page_add(&page, "Reload failed: %s\n", fault_line(&why, 0));
    else
        page_add(&page, "Reload done: generation %u\n", running.record.generation);
    if (page_end(&page) < 0)
        return EXIT_FAILED;
    return running.is_found && why.count == 0 ? 0 : EXIT_FAILED;
}
