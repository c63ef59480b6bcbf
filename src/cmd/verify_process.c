/*
 * What runs: stages, workers, what was left, and whether a stop fits what the platform gives it.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/verify_parts.h"

enum { NAMES_SIZE = 400 };

/* A stage's name as a piece of a list. */
static void append(char *out, size_t out_size, const char *name, const char *what)
{
    size_t used = strlen(out);

    snprintf(out + used, out_size - used, "%s%s (%s)", used > 0 ? ", " : "", name, what);
}

static void check_stages(struct verify *verify)
{
    const struct state_record *record = &verify->running->record;
    struct finding found = { .mark = MARK_FAIL,
                             .name = "stages",
                             .fix = "see their lines in the log; a new start runs them again, "
                                    "freshinit reload those with when = reload" };
    char names[NAMES_SIZE] = "";
    size_t done = 0;

    for (uint32_t i = 0; i < record->stage_count; i++) {
        const struct state_stage *stage = &record->stages[i];
        if (stage->outcome == OUTCOME_FAILED)
            append(names, sizeof names, stage->name, "failed");
        else if (stage->outcome == OUTCOME_KILLED)
            append(names, sizeof names, stage->name, "killed");
        else if (stage->outcome == OUTCOME_DONE)
            done++;
    }
    if (record->phase == STATE_STAGES) {
        found.fix = "wait for them, then verify again";
        checklist_add(&verify->list, &found, "they still run; the server was not started");
    } else if (names[0] != '\0') {
        checklist_add(&verify->list, &found, "%s", names);
    } else {
        found.mark = MARK_OK;
        checklist_add(&verify->list, &found, "%zu done", done);
    }
}

/* The first few that `wanted` says yes to. */
static void name_some(const struct processes *all, bool (*wanted)(const struct process *process),
                      char *out, size_t out_size)
{
    size_t used = 0;
    char age[32];

    out[0] = '\0';
    for (size_t i = 0; i < all->count && used + 80 < out_size; i++) {
        const struct process *process = &all->items[i];
        if (!wanted(process))
            continue;
        int length = snprintf(out + used, out_size - used, "%s%d (%s), %s old",
                              used > 0 ? "; " : "", (int)process->pid, process->name,
                              text_show_ms(running_age_ms(process), age, sizeof age));
        used += length > 0 ? (size_t)length : 0;
    }
}

static bool is_stale(const struct process *process)
{
    return process->is_stale;
}

static bool is_leftover(const struct process *process)
{
    return process->state == 'Z' || process->role == ROLE_ORPHAN;
}

static void check_workers(struct verify *verify)
{
    const struct processes *all = verify->processes;
    const struct state_record *record = &verify->running->record;
    struct finding found = { .mark = MARK_FAIL,
                             .name = "workers",
                             .fix = "they end by themselves, or after [server] "
                                    "stale_worker_timeout; else start the container anew" };
    char names[NAMES_SIZE];

    if (record->server == 0 || record->phase != STATE_SERVING) {
        found.fix = "see the log for why, and start the container anew";
        checklist_add(&verify->list, &found, "no server runs");
    } else if (all->stale > 0) {
        name_some(all, is_stale, names, sizeof names);
        checklist_add(&verify->list, &found, "%zu from before the last reload still run%s: %s",
                      all->stale, record->is_reloading ? " (it is under way)" : "", names);
    } else {
        found.mark = MARK_OK;
        checklist_add(&verify->list, &found, "all of generation %u", record->generation);
    }
}

/* One that ends right now is no fault: only what is there at two looks. */
static void check_leftovers(struct verify *verify)
{
    struct finding found = { .mark = MARK_FAIL,
                             .name = "orphans",
                             .fix = "a zombie's parent does not wait for it; an orphan was left by "
                                    "a process that ended: see freshinit status" };
    struct processes now;
    char names[NAMES_SIZE];

    bool has_some = verify->processes->zombies + verify->processes->orphans > 0 &&
                    running_processes(&verify->running->record, &now) &&
                    now.zombies + now.orphans > 0;
    if (has_some) {
        name_some(&now, is_leftover, names, sizeof names);
        checklist_add(&verify->list, &found, "%zu zombies, %zu orphans: %s", now.zombies,
                      now.orphans, names);
    } else {
        found.mark = MARK_OK;
        checklist_add(&verify->list, &found, "no zombie, no orphan");
    }
}

static void check_grace(struct verify *verify)
{
    int64_t stop_ms = verify->plan->server.stop_timeout_ms;
    struct finding found = { .mark = MARK_OK,
                             .name = "grace",
                             .fix = "lower [server] stop_timeout, or give more (docker stop -t, "
                                    "stop_grace_period, terminationGracePeriodSeconds) and say so: "
                                    "verify --grace" };
    char stop[32];
    char given[32];

    text_show_ms(stop_ms, stop, sizeof stop);
    text_show_ms(verify->grace_ms, given, sizeof given);
    if (stop_ms >= verify->grace_ms)
        found.mark = MARK_FAIL;
    checklist_add(&verify->list, &found,
                  "a stop takes at most %s; the platform is taken to give %s (else --grace)", stop,
                  given);
}

void verify_process(struct verify *verify)
{
    if (!verify->running->is_found) {
        checklist_add(&verify->list,
                      &(struct finding){ .mark = MARK_FAIL,
                                         .name = "freshinit",
                                         .fix = "make freshinit the ENTRYPOINT, and run verify in "
                                                "the same container" },
                      "there is none to ask: %s", verify->none);
    } else {
        check_stages(verify);
        check_workers(verify);
        check_leftovers(verify);
    }
    check_grace(verify);
}
