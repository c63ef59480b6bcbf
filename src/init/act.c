/*
 * Does what the policy says. Each step is one call to those who know how.
 */
#include "init/act.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "init/leftovers.h"
#include "init/reload.h"
#include "init/servers.h"
#include "init/stages.h"

static void tell_drain(const struct loop *loop)
{
    char time[32];

    log_event(LOG_INFO, "server.draining", LOG_NONE, "Draining: %s goes on serving for %s",
              loop->server_name, text_show_ms(loop->plan->server.drain_ms, time, sizeof time));
}

static void tell_ready(const struct loop *loop)
{
    int64_t ms = clock_ms() - loop->server.start_ms;
    char took[32];

    state_ready(loop->record);
    if (loop->jobs->probe)
        log_event(LOG_INFO, "server.ready",
                  LOG_FIELDS(LOG_NUMBER("pid", loop->server.pid), LOG_NUMBER("ms", ms)),
                  "%s is ready after %s", loop->server_name, text_show_ms(ms, took, sizeof took));
}

/* The stages of what is going on. */
static enum when phase_of(const struct loop *loop)
{
    if (loop->state.phase == PHASE_STAGES)
        return loop->jobs->phase;
    if (loop->state.phase == PHASE_STOP_STAGES)
        return WHEN_STOP;
    return loop->state.task == TASK_RELOAD_STAGES ? WHEN_RELOAD : WHEN_READY;
}

static bool next_stage(struct loop *loop, struct event *follows)
{
    enum when phase = phase_of(loop);

    if (phase == WHEN_RELOAD && loop->phase != WHEN_RELOAD)
        reload_tell_begin(loop);
    if (phase == WHEN_STOP && loop->phase != WHEN_STOP)
        stages_abandon(loop);
    return stages_next(loop, phase, follows);
}

static bool task_over(struct event *follows)
{
    *follows = (struct event){ .kind = EVENT_TASK_OVER };
    return true;
}

/* Steps of the server's life that no event follows. */
static void signal_server(struct loop *loop, const struct step *step)
{
    switch ((int)step->kind) {
    case DO_FORWARD:
        servers_forward(loop, step->signal);
        break;
    case DO_DRAIN:
        tell_drain(loop);
        break;
    case DO_STOP_SERVER:
        servers_stop(loop, step->signal);
        break;
    case DO_KILL_SERVER:
        servers_kill(loop);
        break;
    case DO_SUSPEND:
        servers_suspend(loop);
        break;
    case DO_PROMOTE_NEW:
        servers_promote(loop);
        break;
    case DO_TAKE_OVER:
        servers_take_over(loop);
        break;
    case DO_RETIRE_OLD:
        servers_retire(loop);
        break;
    case DO_KILL_OLD:
        servers_kill_old(loop);
        break;
    case DO_SIGNAL_RELOAD:
        reload_signal(loop);
        break;
    case DO_KILL_STALE:
        reload_kill_stale(loop);
        break;
    default:
        break;
    }
}

bool act_perform(struct loop *loop, const struct step *step, struct event *follows)
{
    switch ((int)step->kind) {
    case DO_NEXT_STAGE:
        return next_stage(loop, follows);
    case DO_START_SERVER:
        return servers_start(loop, follows);
    case DO_ASK_READY:
        return servers_ask(loop, follows);
    case DO_START_NEW:
        return servers_start_new(loop, follows);
    case DO_TELL_READY:
        tell_ready(loop);
        return next_stage(loop, follows);
    case DO_RELOAD_DONE:
        reload_tell_done(loop);
        return next_stage(loop, follows);
    case DO_ABANDON_NEW:
        servers_abandon(loop);
        reload_tell_failed(loop);
        return task_over(follows);
    case DO_RELOAD_FAILED:
        stages_abandon(loop);
        reload_tell_failed(loop);
        return task_over(follows);
    case DO_TELL_REST:
        *follows = (struct event){ .kind = EVENT_ALONE };
        return !leftovers_tell(loop);
    case DO_KILL_REST:
        leftovers_kill(loop);
        return false;
    case DO_END:
        leftovers_name(loop);
        return false;
    default:
        signal_server(loop, step);
        return false;
    }
}
