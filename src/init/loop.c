/*
 * The one loop of PID 1: signals, child exits, deadlines. It allocates nothing, and follows no path
 * that a user can write.
 */
#include "init/loop.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/signame.h"
#include "init/act.h"
#include "init/policy.h"
#include "init/reexec.h"
#include "init/reload.h"
#include "init/servers.h"
#include "init/stages.h"
#include "proc/group.h"
#include "proc/reap.h"
#include "proc/signals.h"

/* How often a look tells whether `docker exec` or an old worker has ended: nobody sends a
 * signal. */
enum { STRANGERS_POLL_MS = 20, WORKERS_POLL_MS = 100 };

/* So many children are reaped before the next look at signals: they may come for ever. */
enum { REAP_ROUND = 256 };

/* Hands one event to the policy, and then those that follow from it at once. */
static void handle(struct loop *loop, struct event event)
{
    bool has_event = true;

    while (has_event) {
        event.now_ms = clock_ms();
        struct step step = policy_next(&loop->rules, &loop->state, &event);
        has_event = act_perform(loop, &step, &event);
    }
}

static bool asks_reload(const struct loop *loop, int number)
{
    /* gunicorn can't replace itself on a socket that it was given: it has closed it. */
    if (number == SIGUSR2 && loop->profile->reexecs)
        return loop->rules.way == WAY_HANDOVER;
    return number == SIGHUP && loop->rules.way != WAY_NONE;
}

static bool asks_stop(const struct loop *loop, int number)
{
    return profiles_asks_stop(loop->profile, number) || number == loop->plan->server.stop_signal ||
           (loop->state.phase == PHASE_STAGES && (number == SIGINT || number == SIGQUIT));
}

/* Else the end of the stage would be all that is told. */
static void tell_stop_in_stages(const struct loop *loop, int number)
{
    char name[16];

    if (loop->state.phase == PHASE_STAGES)
        log_event(LOG_INFO, "stages.stopped", LOG_FIELDS(LOG_NUMBER("signal", number)),
                  "SIG%s came: stopping%s", signame_text(number, name, sizeof name),
                  loop->rules.has_server ? ", before the server was started" : "");
}

static void handle_signal(struct loop *loop, const struct signals_event *signal)
{
    const struct init_plan *init = &loop->plan->init;
    int number = signal->number;
    int meant = init->is_rewritten[number] ? init->rewrite[number] : number;
    bool is_hangup = number == SIGHUP && signal->is_from_kernel;

    /* Nobody reads our log any more: that is for us, not for the server. */
    if (number == SIGPIPE && signal->sender == getpid())
        return;
    if (meant == 0 && !is_hangup)
        return;
    enum event_kind kind = EVENT_SIGNAL;
    if (is_hangup || asks_stop(loop, number) || asks_stop(loop, meant))
        kind = EVENT_STOP_SIGNAL;
    else if (asks_reload(loop, meant))
        kind = EVENT_RELOAD;
    if (kind == EVENT_STOP_SIGNAL)
        tell_stop_in_stages(loop, number);
    handle(loop, (struct event){ .kind = kind, .signal = number });
}

static void tell_orphan(const struct loop *loop, pid_t pid, int code)
{
    state_count(loop->record, COUNT_REAPED, 1);
    if (loop->plan->init.warn_zombies)
        log_event(LOG_WARN, "orphan.reaped", LOG_FIELDS(LOG_NUMBER("pid", pid)),
                  "reaped zombie with pid=%d", (int)pid);
    else if (log_wants(LOG_TRACE))
        log_event(LOG_TRACE, "orphan.reaped", LOG_FIELDS(LOG_NUMBER("pid", pid)),
                  "reaped process %d, status %d", (int)pid, code);
}

static void handle_child(struct loop *loop, const struct reap_event *child)
{
    if (child->kind == REAP_SUSPENDED) {
        /* Without a terminal nobody would continue us after a STOP meant for the server. */
        if (child->pid == loop->server.pid &&
            (loop->self->has_terminal || reap_is_job_stop(child->status)))
            handle(loop, (struct event){ .kind = EVENT_SERVER_SUSPENDED });
    } else if (child->pid == loop->server.pid && reexec_follow(loop)) {
        /* It lives on in the one that it started in its place. */
    } else if (servers_has(loop, child->pid)) {
        handle(loop, servers_ended(loop, child->pid, child->status));
    } else if (child->pid == loop->stage_pid) {
        handle(loop, stages_ended(loop, child->status));
    } else if (child->pid == loop->probe_pid) {
        handle(loop, servers_probed(loop, child->status));
    } else {
        tell_orphan(loop, child->pid, reap_code(child->status));
    }
}

/* Collects every child that has ended, or a round of them. */
static enum reap_kind reap_all(struct loop *loop)
{
    struct reap_event child = { .kind = REAP_ENDED };

    loop->has_more_children = true;
    for (int i = 0; i < REAP_ROUND && loop->has_more_children; i++) {
        child = reap_next();
        loop->has_more_children = child.kind == REAP_ENDED || child.kind == REAP_SUSPENDED;
        if (loop->has_more_children)
            handle_child(loop, &child);
    }
    return child.kind;
}

static bool is_leaving(const struct loop *loop)
{
    return loop->state.phase == PHASE_LEAVING || loop->state.phase == PHASE_KILLING;
}

/* Once the end has begun: is anything left? True when only strangers are, to be looked at again. */
static bool look_around(struct loop *loop)
{
    if (!is_leaving(loop) || reap_all(loop) != REAP_NO_CHILD)
        return false;
    /* Without children there are no descendants; only PID 1 can have strangers beside it. */
    bool is_alone = !loop->self->is_pid1 || group_is_alone();
    handle(loop, (struct event){ .kind = is_alone ? EVENT_ALONE : EVENT_STRANGERS_LEFT });
    return !is_alone;
}

/* The server reloads itself: are its old workers gone? True when they are to be looked at again. */
static bool look_at_workers(struct loop *loop)
{
    if (loop->state.phase != PHASE_SERVING || loop->state.task != TASK_OUTLIVE)
        return false;
    if (!reload_is_fresh(loop))
        return true;
    handle(loop, (struct event){ .kind = EVENT_WORKERS_FRESH });
    return false;
}

/* When a look is due even if nothing happens; CLOCK_NEVER: only events count. */
static int64_t next_look(struct loop *loop)
{
    if (look_around(loop))
        return clock_ms() + STRANGERS_POLL_MS;
    return look_at_workers(loop) ? clock_ms() + WORKERS_POLL_MS : CLOCK_NEVER;
}

/* Waits for one signal, or for the next deadline. */
static void wait_for_event(struct loop *loop, int64_t deadline_ms)
{
    struct signals_event signal;

    if (loop->state.deadline_ms < deadline_ms)
        deadline_ms = loop->state.deadline_ms;
    if (loop->stage_deadline_ms < deadline_ms)
        deadline_ms = loop->stage_deadline_ms;
    bool has_signal = signals_next(loop->has_more_children ? 0 : deadline_ms, &signal);
    if (has_signal && signal.number != SIGCHLD)
        handle_signal(loop, &signal);
    if (loop->has_more_children || (has_signal && signal.number == SIGCHLD))
        reap_all(loop);
}

static void check_deadlines(struct loop *loop)
{
    int64_t now_ms = clock_ms();

    if (now_ms >= loop->stage_deadline_ms)
        stages_end_late(loop);
    if (now_ms >= loop->state.deadline_ms)
        handle(loop, (struct event){ .kind = EVENT_DEADLINE });
}

/* What others may know of us. */
static void tell_state(struct loop *loop)
{
    enum state_phase phase = STATE_STOPPING;

    if (loop->state.phase == PHASE_STAGES)
        phase = STATE_STAGES;
    else if (loop->state.phase == PHASE_SERVING)
        phase = STATE_SERVING;
    state_phase(loop->record, phase);
    state_server(loop->record, loop->server.pid, loop->server.generation);
    state_other(loop->record, loop->other.pid, loop->other.generation);
    state_flush(loop->record);
}

static const char *server_name(const struct loop *loop)
{
    const struct words *command = &loop->plan->server.command;

    if (loop->profile->is_known || command->count == 0)
        return loop->profile->name;
    const char *slash = strrchr(command->items[0], '/');
    return slash ? slash + 1 : command->items[0];
}

static struct policy_rules rules_for(const struct jobs *jobs, const struct plan *plan,
                                     const struct pid1 *self)
{
    const struct server_plan *server = &plan->server;

    return (struct policy_rules){
        .has_server = jobs->has_server,
        .is_pid1 = self->is_pid1,
        .ends_at_once = plan->init.is_tini,
        .tells_ready = jobs->probe != NULL,
        .asks_workers = jobs->asks_workers,
        .recycles = jobs->recycles,
        .way = jobs->way,
        .drain_ms = server->drain_ms,
        .stop_timeout_ms = server->stop_timeout_ms,
        .ready_timeout_ms = server->ready_timeout_ms,
        .stale_worker_timeout_ms = server->stale_worker_timeout_ms,
        .success_codes = server->success_codes,
        .always_success = plan->init.success_codes,
    };
}

/* What can be done once the first child is on its way. It goes first: on one processor it would
 * have to wait. Where memory is too short to seal the plan, it stays as it is. */
static void settle_down(struct loop *loop)
{
    struct fault unused;

    sched_yield();
    tell_state(loop);
    fault_clear(&unused);
    if (arena_seal(&unused) == 0)
        arena_give_back();
}

int loop_run(const struct jobs *jobs, const struct plan *plan, const struct pid1 *self)
{
    /* tini knows no servers. */
    struct state record;
    enum server_kind kind = plan->init.is_tini ? SERVER_GENERIC : plan->server.kind;
    struct loop loop = {
        .plan = plan,
        .jobs = jobs,
        .self = self,
        .profile = profiles_find(kind, &plan->server.command),
        .rules = rules_for(jobs, plan, self),
        .state = policy_start(),
        .record = &record,
        .stage_deadline_ms = CLOCK_NEVER,
    };

    state_begin(&record, plan, jobs->has_server && !plan->init.is_tini);
    loop.server_name = server_name(&loop);
    handle(&loop, (struct event){ .kind = EVENT_START });
    if (loop.state.phase != PHASE_ENDED)
        settle_down(&loop);
    for (;;) {
        int64_t look_ms = next_look(&loop);
        if (loop.state.phase == PHASE_ENDED) {
            state_end(&record, self->is_pid1);
            return loop.state.exit_code;
        }
        tell_state(&loop);
        wait_for_event(&loop, look_ms);
        check_deadlines(&loop);
    }
}
