/*
 * Turns stages into jobs, and a job's child into the body of its stage.
 */
#include "cmd/jobs.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "cmd/sealed.h"
#include "plan/renew.h"
#include "stage/kinds.h"
#include "stage/once_file.h"

/* What the child of a job needs. */
struct group {
    const struct plan *plan;
    const struct stage_kind *kind;
    const struct stage_plan **stages;
    size_t count;
    bool is_dry;
};

static bool are_equal(const struct words *left, const struct words *right)
{
    if (left->count != right->count)
        return false;
    for (size_t i = 0; i < left->count; i++)
        if (strcmp(left->items[i], right->items[i]) != 0)
            return false;
    return true;
}

static bool have_same_user(const struct stage_plan *left, const struct stage_plan *right)
{
    if (!left->user.text || !right->user.text)
        return left->user.text == right->user.text;
    return strcmp(left->user.text, right->user.text) == 0;
}

/* May two neighbours share one walk in one child? */
static bool can_share(const struct stage_plan *left, const struct stage_plan *right)
{
    return kinds_find(left->action)->shares_walk && kinds_find(right->action)->shares_walk &&
           left->action != ACTION_EMPTY && right->action != ACTION_EMPTY &&
           are_equal(&left->in, &right->in) && left->when == right->when &&
           are_equal(&left->targets, &right->targets) && have_same_user(left, right) &&
           left->timeout_ms == right->timeout_ms && left->once == right->once &&
           left->on_error == right->on_error;
}

static bool is_wanted(const struct stage_plan *stage, const struct words *targets)
{
    if (!targets || targets->count == 0)
        return true;
    for (size_t i = 0; i < targets->count; i++)
        for (size_t j = 0; j < stage->targets.count; j++)
            if (strcmp(targets->items[i], stage->targets.items[j]) == 0)
                return true;
    return false;
}

/* Runs in the child, as the stage's user. */
static int run_body(const struct job *job, enum when phase)
{
    const struct group *group = job->context;
    bool is_again = phase == WHEN_RELOAD || phase == WHEN_READY || phase == WHEN_STOP;
    const struct plan *plan = is_again ? renew_plan(group->plan) : group->plan;
    struct stage_result local[STAGES_MAX];
    struct stage_run run = { .plan = plan,
                             .stages = group->stages,
                             .count = group->count,
                             .results = job->results ? job->results : local,
                             .phase = phase,
                             .is_dry = group->is_dry,
                             .deadline_ms = clock_ms() + job->timeout_ms };
    struct fault why;

    /* The child of before may have written them last. */
    memset(run.results, 0, group->count * sizeof *run.results);
    if (phase == WHEN_RELOAD && job->first_stage == 0)
        renew_tell_config(plan);
    fault_clear(&why);
    if (group->kind->body(&run, &why) == 0)
        return 0;
    enum log_level level = job->on_error == ON_ERROR_FAIL ? LOG_ERROR : LOG_WARN;
    for (size_t i = 0; fault_line(&why, i); i++)
        log_event(level, "stage.failed", LOG_FIELDS(LOG_TEXT("stage", job->name)), "[stage %s] %s",
                  job->name, fault_line(&why, i));
    return EXIT_FAILED;
}

/* Runs in the child while it still is who we are: what `once` keeps belongs to the stage's user. */
static void prepare_once(const struct job *job)
{
    const struct group *group = job->context;

    if (!group->is_dry)
        once_file_prepare(group->plan->state_dir, job->user);
}

static void start_job(struct job *job, const struct plan *plan, const struct stage_plan *stage,
                      bool is_dry)
{
    struct group *group = arena_take(sizeof *group);

    group->plan = plan;
    group->kind = kinds_find(stage->action);
    group->stages = arena_take(STAGES_MAX * sizeof *group->stages);
    group->is_dry = is_dry;
    *job = (struct job){ .name = stage->name,
                         .when = stage->when,
                         .timeout_ms = stage->timeout_ms,
                         .on_error = stage->on_error,
                         .refreshes = stage->action <= ACTION_FLUSH,
                         .user = &stage->user,
                         .body = run_body,
                         .prepare = stage->once != ONCE_ALWAYS ? prepare_once : NULL,
                         .context = group };
}

void jobs_from_plan(const struct plan *plan, const struct jobs_wanted *wanted, struct jobs *out)
{
    struct job *items = arena_take((plan->stage_count + 2) * sizeof *items);
    /* Without them the stages run all the same, and no one learns their counts. */
    struct stage_result *results = plan->has_stages && plan->stage_count > 0 && wanted->has_server
                                       ? arena_pages(plan->stage_count * sizeof *results, true)
                                       : NULL;
    struct group *group = NULL;
    size_t count = 0;

    if (wanted->has_server && plan->has_stages && sealed_job(plan, items))
        count++;
    for (size_t i = 0; i < plan->stage_count; i++) {
        const struct stage_plan *stage = &plan->stages[i];
        if (!is_wanted(stage, wanted->targets) || !kinds_find(stage->action))
            continue;
        if (!group || !can_share(group->stages[group->count - 1], stage)) {
            start_job(&items[count], plan, stage, wanted->is_dry);
            items[count].first_stage = i;
            items[count].results = results ? results + i : NULL;
            /* Ours until the seal; the job itself only reads it. */
            group = (struct group *)(uintptr_t)items[count++].context;
        }
        group->stages[group->count++] = stage;
        items[count - 1].stage_count = group->count;
    }
    *out = (struct jobs){ .items = items,
                          .count = plan->has_stages ? count : 0,
                          .has_server = wanted->has_server,
                          .phase = wanted->phase };
}
