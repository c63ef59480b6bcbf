/*
 * The life of the container as a table of phases. Pure; the loop does what it says.
 */
#include "init/policy.h"

#include "base/clock.h"
#include "base/exitcode.h"
#include "init/task.h"

enum {
    REST_LEAST_MS = 1000, /* what the server leaves gets at least this after TERM */
    STRANGERS_MS = 1000,  /* what can't be reaped is not waited for any longer */
    KILL_ROUND_MS = 100,
    KILL_ROUNDS_MAX = 50 /* a process that hangs in the kernel does not die of KILL */
};

static const struct step nothing = { .kind = DO_NOTHING };

struct policy policy_start(void)
{
    return (struct policy){ .phase = PHASE_STAGES, .deadline_ms = CLOCK_NEVER };
}

static struct step end(struct policy *state)
{
    state->phase = PHASE_ENDED;
    state->deadline_ms = CLOCK_NEVER;
    return (struct step){ .kind = DO_END };
}

static int64_t later(int64_t left_ms, int64_t right_ms)
{
    return left_ms > right_ms ? left_ms : right_ms;
}

static struct step tell_rest(const struct policy_rules *rules, struct policy *state, int64_t now_ms)
{
    if (rules->ends_at_once)
        return end(state);
    state->phase = PHASE_LEAVING;
    state->deadline_ms = later(state->stop_by_ms, now_ms + REST_LEAST_MS);
    return (struct step){ .kind = DO_TELL_REST };
}

/* Without a stop that was asked for, the time of one begins when it is needed. */
static void begin_stop(const struct policy_rules *rules, struct policy *state, int64_t now_ms)
{
    if (state->stop_by_ms == 0)
        state->stop_by_ms = now_ms + rules->stop_timeout_ms;
}

static int final_code(const struct policy_rules *rules, const struct policy *state, int code)
{
    bool is_success = rules->always_success[code & 0xFF] ||
                      (state->is_stop_asked && rules->success_codes[code & 0xFF]);

    return is_success ? 0 : code;
}

static struct step leave(const struct policy_rules *rules, struct policy *state, int code,
                         int64_t now_ms)
{
    begin_stop(rules, state, now_ms);
    state->exit_code = code;
    return tell_rest(rules, state, now_ms);
}

static struct step in_stages(const struct policy_rules *rules, struct policy *state,
                             const struct event *event)
{
    switch ((int)event->kind) {
    case EVENT_START:
    case EVENT_STAGE_ENDED:
        return (struct step){ .kind = DO_NEXT_STAGE };
    case EVENT_STAGES_DONE:
        if (!rules->has_server)
            return leave(rules, state, 0, event->now_ms);
        return task_start_server(rules, state, event->now_ms);
    case EVENT_STAGE_FATAL:
        return leave(rules, state, EXIT_STAGE, event->now_ms);
    case EVENT_SPAWN_FAILED:
        return leave(rules, state, event->code, event->now_ms);
    case EVENT_STOP_SIGNAL:
        state->is_stop_asked = true;
        return leave(rules, state, final_code(rules, state, EXIT_SIGNAL + event->signal),
                     event->now_ms);
    default:
        return nothing;
    }
}

static struct step stop_server(struct policy *state, int number)
{
    state->phase = PHASE_STOPPING;
    state->deadline_ms = state->stop_by_ms;
    return (struct step){ .kind = DO_STOP_SERVER, .signal = number };
}

static struct step server_ended(const struct policy_rules *rules, struct policy *state,
                                const struct event *event)
{
    state->exit_code = final_code(rules, state, event->code);
    if (rules->ends_at_once)
        return end(state);
    begin_stop(rules, state, event->now_ms);
    state->phase = PHASE_STOP_STAGES;
    state->deadline_ms = state->stop_by_ms;
    return (struct step){ .kind = DO_NEXT_STAGE };
}

static struct step while_serving(const struct policy_rules *rules, struct policy *state,
                                 const struct event *event)
{
    bool is_serving = state->phase == PHASE_SERVING;
    struct step step;

    switch ((int)event->kind) {
    case EVENT_SERVER_ENDED:
        if (is_serving && task_outlives(rules, state, event, &step))
            return step;
        return server_ended(rules, state, event);
    case EVENT_NO_SERVER:
        return leave(rules, state, event->code, event->now_ms);
    case EVENT_SERVER_SUSPENDED:
        return (struct step){ .kind = rules->is_pid1 ? DO_NOTHING : DO_SUSPEND };
    case EVENT_SIGNAL:
        return (struct step){ .kind = DO_FORWARD, .signal = event->signal };
    case EVENT_STOP_SIGNAL:
        /* tini forwards, and leaves the rest to whoever stops the container. */
        if (rules->ends_at_once)
            return (struct step){ .kind = DO_FORWARD, .signal = event->signal };
        if (state->phase == PHASE_STOPPING)
            return (struct step){ .kind = DO_STOP_SERVER, .signal = event->signal };
        if (state->phase == PHASE_DRAINING)
            return stop_server(state, event->signal);
        state->is_stop_asked = true;
        state->stop_by_ms = event->now_ms + rules->stop_timeout_ms;
        if (rules->drain_ms == 0)
            return stop_server(state, event->signal);
        state->phase = PHASE_DRAINING;
        state->deadline_ms = event->now_ms + rules->drain_ms;
        return (struct step){ .kind = DO_DRAIN, .signal = event->signal };
    default:
        return is_serving ? task_next(rules, state, event) : nothing;
    }
}

static struct step at_deadline(const struct policy_rules *rules, struct policy *state,
                               const struct event *event)
{
    switch (state->phase) {
    case PHASE_DRAINING:
        return stop_server(state, 0);
    case PHASE_STOPPING:
        if (state->kills++ > 0) {
            state->exit_code = EXIT_SIGNAL + 9;
            return tell_rest(rules, state, event->now_ms);
        }
        state->deadline_ms = event->now_ms + REST_LEAST_MS;
        return (struct step){ .kind = DO_KILL_SERVER };
    case PHASE_STOP_STAGES:
        return tell_rest(rules, state, event->now_ms);
    case PHASE_LEAVING:
        state->phase = PHASE_KILLING;
        state->kills = 0;
        /* fall through */
    case PHASE_KILLING:
        if (state->kills++ == KILL_ROUNDS_MAX)
            return end(state);
        state->deadline_ms = event->now_ms + KILL_ROUND_MS;
        return (struct step){ .kind = DO_KILL_REST };
    case PHASE_SERVING:
        return task_late(rules, state, event->now_ms);
    case PHASE_STAGES:
    case PHASE_ENDED:
        break;
    }
    return nothing;
}

static struct step while_leaving(struct policy *state, const struct event *event)
{
    if (event->kind == EVENT_ALONE)
        return end(state);
    if (event->kind == EVENT_STRANGERS_LEFT) {
        int64_t latest_ms = event->now_ms + STRANGERS_MS;
        if (state->phase == PHASE_LEAVING && state->deadline_ms > latest_ms)
            state->deadline_ms = latest_ms;
        /* One round of KILL reaches them all: only PID 1 has strangers. */
        if (state->phase == PHASE_KILLING && state->kills < KILL_ROUNDS_MAX) {
            state->kills = KILL_ROUNDS_MAX;
            state->deadline_ms = latest_ms;
        }
    }
    return nothing;
}

struct step policy_next(const struct policy_rules *rules, struct policy *state,
                        const struct event *event)
{
    if (event->kind == EVENT_DEADLINE)
        return at_deadline(rules, state, event);
    switch (state->phase) {
    case PHASE_STAGES:
        return in_stages(rules, state, event);
    case PHASE_SERVING:
    case PHASE_DRAINING:
    case PHASE_STOPPING:
        return while_serving(rules, state, event);
    case PHASE_STOP_STAGES:
        if (event->kind == EVENT_STAGE_ENDED)
            return (struct step){ .kind = DO_NEXT_STAGE };
        if (event->kind == EVENT_STAGES_DONE || event->kind == EVENT_STAGE_FATAL ||
            event->kind == EVENT_SPAWN_FAILED)
            return tell_rest(rules, state, event->now_ms);
        return nothing;
    case PHASE_LEAVING:
    case PHASE_KILLING:
        return while_leaving(state, event);
    case PHASE_ENDED:
        break;
    }
    return nothing;
}
