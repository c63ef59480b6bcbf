/*
 * What goes on beside serving, one task at a time: stages, readiness, reload. Pure, like the
 * policy.
 */
#include "init/task.h"

#include "base/clock.h"

enum {
    PROBE_MARGIN_MS = 2000,  /* a probe keeps its own time; one that hangs is not waited for */
    RECYCLE_LEAST_MS = 1000, /* a server that always ends sooner is started in a ring */
    SHORT_LIVES_MAX = 5,
    /* Connections that were on their way to the old server when the new one took over have come,
     * and have been read. */
    CALM_MS = 500,
    AGAIN_MS = 1000,    /* until a KILL is said again */
    STALE_KILLS_MAX = 5 /* what hangs in the kernel does not die of KILL */
};

static const struct step nothing = { .kind = DO_NOTHING };

static struct step begin(struct policy *state, enum policy_task task, int64_t deadline_ms,
                         enum step_kind kind)
{
    state->task = task;
    state->deadline_ms = deadline_ms;
    return (struct step){ .kind = kind };
}

/* What was being done is over; a reload that was asked for meanwhile begins. */
static struct step end_task(struct policy *state)
{
    state->is_reloading = state->is_reload_queued;
    state->is_reload_queued = false;
    if (state->is_reloading)
        return begin(state, TASK_RELOAD_STAGES, CLOCK_NEVER, DO_NEXT_STAGE);
    return begin(state, TASK_NONE, CLOCK_NEVER, DO_NOTHING);
}

/* It is over without success, and somebody must say so first. */
static struct step give_up(struct policy *state, enum step_kind kind)
{
    if (!state->is_reloading)
        return end_task(state);
    state->is_reloading = false;
    return begin(state, TASK_NONE, CLOCK_NEVER, kind);
}

struct step task_start_server(const struct policy_rules *rules, struct policy *state,
                              int64_t now_ms)
{
    state->phase = PHASE_SERVING;
    state->server_start_ms = now_ms;
    return begin(state, TASK_AWAIT_READY, now_ms + rules->ready_timeout_ms + PROBE_MARGIN_MS,
                 DO_START_SERVER);
}

/* The reload stages have run: replace the server in its way. */
static struct step replace_server(const struct policy_rules *rules, struct policy *state,
                                  int64_t now_ms)
{
    switch (rules->way) {
    case WAY_HANDOVER:
        return begin(state, TASK_START_NEW, now_ms + rules->ready_timeout_ms + PROBE_MARGIN_MS,
                     DO_START_NEW);
    case WAY_SIGNAL:
        state->stale_kills = 0;
        return begin(state, TASK_OUTLIVE, now_ms + rules->stale_worker_timeout_ms,
                     DO_SIGNAL_RELOAD);
    case WAY_RESTART:
        return begin(state, TASK_RESTART, now_ms + rules->stop_timeout_ms, DO_STOP_SERVER);
    case WAY_NONE:
        break;
    }
    return end_task(state);
}

static struct step is_ready(struct policy *state, int64_t now_ms)
{
    if (state->task == TASK_START_NEW)
        return begin(state, TASK_CALM_OLD, now_ms + CALM_MS, DO_TAKE_OVER);
    if (state->task != TASK_AWAIT_READY)
        return nothing;
    /* Its ready stages have run when the first of its kind was started. */
    if (state->is_recycled && !state->is_reloading)
        return end_task(state);
    return begin(state, TASK_READY_STAGES, CLOCK_NEVER,
                 state->is_reloading ? DO_RELOAD_DONE : DO_TELL_READY);
}

/* A worker that runs may still fail at its first request, when Django imports the views. */
static struct step workers_fresh(const struct policy_rules *rules, struct policy *state,
                                 int64_t now_ms)
{
    if (!rules->asks_workers)
        return begin(state, TASK_READY_STAGES, CLOCK_NEVER, DO_RELOAD_DONE);
    return begin(state, TASK_AWAIT_READY, now_ms + rules->ready_timeout_ms + PROBE_MARGIN_MS,
                 DO_ASK_READY);
}

static struct step stages_done(const struct policy_rules *rules, struct policy *state,
                               int64_t now_ms)
{
    if (state->task == TASK_RELOAD_STAGES)
        return replace_server(rules, state, now_ms);
    return state->task == TASK_READY_STAGES ? end_task(state) : nothing;
}

struct step task_next(const struct policy_rules *rules, struct policy *state,
                      const struct event *event)
{
    enum policy_task task = state->task;

    switch ((int)event->kind) {
    case EVENT_RELOAD:
        state->is_reload_queued = true;
        return task == TASK_NONE ? end_task(state) : nothing;
    case EVENT_TASK_OVER:
        return task == TASK_NONE ? end_task(state) : nothing;
    case EVENT_STAGE_FATAL:
        if (task == TASK_RELOAD_STAGES)
            return give_up(state, DO_RELOAD_FAILED);
        return (struct step){ .kind = DO_NEXT_STAGE };
    case EVENT_STAGE_ENDED:
        return (struct step){ .kind = DO_NEXT_STAGE };
    case EVENT_STAGES_DONE:
        return stages_done(rules, state, event->now_ms);
    case EVENT_SPAWN_FAILED:
        if (task == TASK_START_NEW || task == TASK_RELOAD_STAGES)
            return give_up(state, DO_RELOAD_FAILED);
        return task == TASK_READY_STAGES ? end_task(state) : nothing;
    case EVENT_READY:
        return is_ready(state, event->now_ms);
    case EVENT_NOT_READY:
        if (task == TASK_START_NEW)
            return give_up(state, DO_ABANDON_NEW);
        return task == TASK_AWAIT_READY ? give_up(state, DO_RELOAD_FAILED) : nothing;
    case EVENT_NEW_ENDED:
        return task == TASK_START_NEW ? give_up(state, DO_RELOAD_FAILED) : nothing;
    case EVENT_OLD_ENDED:
        return task == TASK_CALM_OLD || task == TASK_RETIRE_OLD
                   ? begin(state, TASK_READY_STAGES, CLOCK_NEVER, DO_RELOAD_DONE)
                   : nothing;
    case EVENT_WORKERS_FRESH:
        return task == TASK_OUTLIVE ? workers_fresh(rules, state, event->now_ms) : nothing;
    default:
        return nothing;
    }
}

struct step task_late(const struct policy_rules *rules, struct policy *state, int64_t now_ms)
{
    switch (state->task) {
    case TASK_AWAIT_READY:
        return give_up(state, DO_RELOAD_FAILED);
    case TASK_START_NEW:
        return give_up(state, DO_ABANDON_NEW);
    case TASK_CALM_OLD:
        state->stale_kills = 0;
        return begin(state, TASK_RETIRE_OLD, now_ms + rules->stale_worker_timeout_ms,
                     DO_RETIRE_OLD);
    case TASK_RETIRE_OLD:
        if (state->stale_kills++ == STALE_KILLS_MAX)
            return give_up(state, DO_RELOAD_FAILED);
        return begin(state, TASK_RETIRE_OLD, now_ms + AGAIN_MS, DO_KILL_OLD);
    case TASK_OUTLIVE:
        if (state->stale_kills++ == STALE_KILLS_MAX)
            return give_up(state, DO_RELOAD_FAILED);
        return begin(state, TASK_OUTLIVE, now_ms + AGAIN_MS, DO_KILL_STALE);
    case TASK_RESTART:
        return begin(state, TASK_RESTART, now_ms + AGAIN_MS, DO_KILL_SERVER);
    case TASK_NONE:
    case TASK_READY_STAGES:
    case TASK_RELOAD_STAGES:
        break;
    }
    return nothing;
}

bool task_outlives(const struct policy_rules *rules, struct policy *state,
                   const struct event *event, struct step *out)
{
    bool was_ready = rules->tells_ready && state->task != TASK_AWAIT_READY;
    bool has_served = was_ready || event->now_ms - state->server_start_ms >= RECYCLE_LEAST_MS;

    if (state->task == TASK_RESTART) {
        state->is_recycled = false;
        *out = task_start_server(rules, state, event->now_ms);
        return true;
    }
    if (state->task == TASK_START_NEW) {
        *out = begin(state, TASK_AWAIT_READY, state->deadline_ms, DO_PROMOTE_NEW);
        return true;
    }
    if (!rules->recycles || event->code != 0)
        return false;
    /* A busy one may have done its requests before the probe got through. */
    state->short_lives = has_served ? 0 : state->short_lives + 1;
    if (state->short_lives > SHORT_LIVES_MAX)
        return false;
    state->is_recycled = true;
    if (state->task == TASK_NONE || state->task == TASK_AWAIT_READY) {
        *out = task_start_server(rules, state, event->now_ms);
    } else {
        /* Stages run meanwhile: they go on, and nobody waits for this server. */
        state->server_start_ms = event->now_ms;
        *out = (struct step){ .kind = DO_START_SERVER };
    }
    return true;
}
