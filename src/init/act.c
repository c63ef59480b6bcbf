/*
 * Does what the policy says: starts stages and the server, signals them, ends what is left.
 */
#include "init/act.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "base/signame.h"
#include "proc/group.h"
#include "proc/reap.h"
#include "proc/spawn.h"

/* A stage watches its own time and says why; PID 1 ends it only when it does not. */
enum { STAGE_MARGIN_MS = 2000, NAMES_MAX = 600 };

static struct event failed_to_spawn(const struct fault *why)
{
    return (struct event){ .kind = EVENT_SPAWN_FAILED, .code = fault_report(why) };
}

/* Runs in the child. */
static int run_stage(const void *context)
{
    const struct loop *loop = context;

    return loop->stage->body(loop->stage, loop->phase);
}

static const struct job *next_job(struct loop *loop)
{
    while (loop->next_job < loop->jobs->count) {
        const struct job *job = &loop->jobs->items[loop->next_job++];
        if (job->when & loop->phase)
            return job;
    }
    return NULL;
}

static void tell_stages_done(const struct loop *loop)
{
    char took[32];
    int64_t ms = clock_ms() - loop->phase_start_ms;

    if (loop->stages_run == 0)
        return;
    text_show_ms(ms, took, sizeof took);
    if (loop->stages_failed == 0)
        log_event(LOG_INFO, "stages.done",
                  LOG_FIELDS(LOG_NUMBER("stages", loop->stages_run), LOG_NUMBER("ms", ms)),
                  "Cache cleared and templates refreshed: %zu stage%s, %s", loop->stages_run,
                  loop->stages_run == 1 ? "" : "s", took);
    else
        log_event(LOG_WARN, "stages.done",
                  LOG_FIELDS(LOG_NUMBER("stages", loop->stages_run),
                             LOG_NUMBER("failed", loop->stages_failed), LOG_NUMBER("ms", ms)),
                  "stages done: %zu of %zu failed, %s", loop->stages_failed, loop->stages_run,
                  took);
}

static bool start_next_stage(struct loop *loop, struct event *follows)
{
    struct fault why;

    if (loop->state.phase == PHASE_STOP_STAGES && loop->phase != WHEN_STOP) {
        loop->phase = WHEN_STOP;
        loop->next_job = 0;
        loop->stages_run = 0;
        loop->stages_failed = 0;
    }
    loop->stage = next_job(loop);
    if (!loop->stage) {
        tell_stages_done(loop);
        *follows = (struct event){ .kind = EVENT_STAGES_DONE };
        return true;
    }
    struct spawn what = { .body = run_stage,
                          .context = loop,
                          .privs = { .user = loop->stage->user } };
    if (loop->stages_run++ == 0)
        loop->phase_start_ms = clock_ms();
    fault_clear(&why);
    if (spawn_start(&what, &loop->stage_pid, &why) < 0) {
        loop->stage = NULL;
        *follows = failed_to_spawn(&why);
        return true;
    }
    loop->is_stage_late = false;
    loop->stage_deadline_ms = clock_ms() + loop->stage->timeout_ms + STAGE_MARGIN_MS;
    return false;
}

void act_end_late_stage(struct loop *loop)
{
    loop->is_stage_late = true;
    loop->stage_deadline_ms = CLOCK_NEVER;
    group_signal(loop->stage_pid, SIGKILL, GROUP_ALL);
}

struct event act_stage_ended(struct loop *loop, int status)
{
    const struct job *stage = loop->stage;
    int code = reap_code(status);
    char name[16];
    char limit[32];

    loop->stage = NULL;
    loop->stage_pid = 0;
    loop->stage_deadline_ms = CLOCK_NEVER;
    if (code == 0)
        return (struct event){ .kind = EVENT_STAGE_ENDED };
    loop->stages_failed++;
    enum log_level level = stage->on_error == ON_ERROR_FAIL ? LOG_ERROR : LOG_WARN;
    /* A stage that failed has said why itself; one that was killed could not. */
    if (loop->is_stage_late)
        log_event(level, "stage.failed", LOG_FIELDS(LOG_TEXT("stage", stage->name)),
                  "[stage %s] killed: not done after %s (timeout =)", stage->name,
                  text_show_ms(stage->timeout_ms, limit, sizeof limit));
    else if (reap_signal(status))
        log_event(level, "stage.failed", LOG_FIELDS(LOG_TEXT("stage", stage->name)),
                  "[stage %s] ended by SIG%s", stage->name,
                  signame_text(reap_signal(status), name, sizeof name));
    if (stage->on_error == ON_ERROR_FAIL)
        return (struct event){ .kind = EVENT_STAGE_FATAL };
    return (struct event){ .kind = EVENT_STAGE_ENDED };
}

/* The words that freshinit's own privileges still need: the stages that are to come. */
static bool has_later_stages(const struct loop *loop)
{
    for (size_t i = 0; i < loop->jobs->count; i++)
        if (loop->jobs->items[i].when & WHEN_STOP)
            return true;
    return false;
}

static void give_up_privileges(const struct loop *loop)
{
    struct fault why;

    if (!loop->plan->server.user.text || geteuid() != 0 || has_later_stages(loop))
        return;
    fault_clear(&why);
    if (privs_keep_kill(&why) < 0)
        log_event(LOG_WARN, "privs.kept", LOG_NONE, "freshinit keeps its privileges: %s",
                  fault_line(&why, 0));
}

static void join(const struct words *words, char *out, size_t out_size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < words->count && used + 1 < out_size; i++) {
        int length =
            snprintf(out + used, out_size - used, "%s%s", i > 0 ? " " : "", words->items[i]);
        used += length > 0 ? (size_t)length : 0;
    }
    if (used >= out_size)
        memcpy(out + out_size - 4, "...", 4);
}

static void tell_server_started(const struct loop *loop)
{
    const struct server_plan *server = &loop->plan->server;
    char command[400];
    char kept[200];
    char identity[300] = "";

    join(&server->command, command, sizeof command);
    join(&server->capabilities, kept, sizeof kept);
    if (server->user.text)
        snprintf(identity, sizeof identity, ", user %s, capabilities %s", server->user.text,
                 kept[0] != '\0' ? kept : "none");
    log_event(LOG_INFO, "server.started",
              LOG_FIELDS(LOG_NUMBER("pid", loop->server), LOG_TEXT("command", command)),
              "Starting %s (pid %d%s)", command, (int)loop->server, identity);
}

/* Where INT becomes another signal, Ctrl-C must come to us. */
static bool keeps_terminal(const struct loop *loop)
{
    return loop->profile->rewrites_int;
}

static bool start_server(struct loop *loop, struct event *follows)
{
    const struct server_plan *server = &loop->plan->server;
    struct fault why;
    struct spawn what = {
        .argv = server->command.items,
        .environment = loop->plan->environment,
        .privs = { .user = &server->user,
                   .capabilities = server->has_capabilities ? &server->capabilities : NULL,
                   .no_new_privs = server->no_new_privs },
        .workdir = server->workdir,
        .has_umask = server->has_umask,
        .umask = server->umask,
        .takes_terminal = loop->self->has_terminal && !keeps_terminal(loop),
        .hands_streams = true,
    };

    fault_clear(&why);
    if (spawn_start(&what, &loop->server, &why) < 0) {
        loop->server = 0;
        *follows = failed_to_spawn(&why);
        return true;
    }
    tell_server_started(loop);
    give_up_privileges(loop);
    return false;
}

struct event act_server_ended(struct loop *loop, int status)
{
    int code = reap_code(status);
    char name[16];

    if (reap_signal(status))
        log_event(loop->state.is_stop_asked ? LOG_INFO : LOG_WARN, "server.ended",
                  LOG_FIELDS(LOG_NUMBER("pid", loop->server), LOG_NUMBER("code", code)),
                  "%s (pid %d) was ended by SIG%s", loop->server_name, (int)loop->server,
                  signame_text(reap_signal(status), name, sizeof name));
    else
        log_event(LOG_INFO, "server.ended",
                  LOG_FIELDS(LOG_NUMBER("pid", loop->server), LOG_NUMBER("code", code)),
                  "%s (pid %d) ended with status %d", loop->server_name, (int)loop->server, code);
    loop->server = 0;
    pid1_give_terminal(loop->self, getpgrp());
    return (struct event){ .kind = EVENT_SERVER_ENDED, .code = code };
}

/* --rewrite, or the signal itself; 0: it is dropped. */
static int rewritten(const struct loop *loop, int number)
{
    const struct init_plan *init = &loop->plan->init;

    return init->is_rewritten[number] ? init->rewrite[number] : number;
}

static void forward(const struct loop *loop, int number)
{
    bool wants_group = loop->plan->init.group && !profiles_is_for_master(loop->profile, number);
    int sent = rewritten(loop, number);
    char from[16];
    char to[16];

    if (loop->server == 0 || sent == 0)
        return;
    log_event(LOG_DEBUG, "signal.forwarded",
              LOG_FIELDS(LOG_NUMBER("signal", number), LOG_NUMBER("sent", sent)),
              "SIG%s came, SIG%s sent to %s", signame_text(number, from, sizeof from),
              signame_text(sent, to, sizeof to), wants_group ? "its group" : "the server");
    group_signal(loop->server, sent, wants_group ? GROUP_ALL : GROUP_ONE);
}

/* Ctrl-Z has stopped the server's group: the shell that started us must see us stop, too. We come
 * back from the call when it has continued us. */
static void suspend(const struct loop *loop)
{
    group_suspend_self();
    if (tcgetpgrp(STDIN_FILENO) == getpgrp() && !keeps_terminal(loop))
        pid1_give_terminal(loop->self, loop->server);
    group_signal(loop->server, SIGCONT, GROUP_ALL);
}

static void stop_server(const struct loop *loop, int asked)
{
    const struct plan *plan = loop->plan;
    int number = asked == 0 ? SIGTERM : asked;
    char name[16];
    char has[32];

    if (plan->init.is_rewritten[number])
        number = plan->init.rewrite[number];
    else if (plan->server.stop_signal != 0)
        number = plan->server.stop_signal;
    else if ((number == SIGINT && loop->profile->rewrites_int) ||
             (number == SIGHUP && loop->profile->is_known))
        number = loop->profile->stop_signal;
    if (loop->server == 0 || number == 0)
        return;
    log_event(LOG_INFO, "server.stopping", LOG_FIELDS(LOG_NUMBER("signal", number)),
              "Stopping %s (pid %d) with SIG%s: it has %s", loop->server_name, (int)loop->server,
              signame_text(number, name, sizeof name),
              text_show_ms(loop->state.stop_by_ms - clock_ms(), has, sizeof has));
    group_signal(loop->server, number, plan->init.group ? GROUP_ALL : GROUP_ONE);
    /* One that was stopped by SIGSTOP would not hear it. */
    group_signal(loop->server, SIGCONT, GROUP_ONE);
}

static void kill_server(const struct loop *loop)
{
    char limit[32];

    log_event(
        LOG_WARN, "server.killed", LOG_FIELDS(LOG_NUMBER("pid", loop->server)),
        "%s did not end within %s: killed. To give it longer raise [server] stop_timeout, and "
        "the platform's own time with it (docker stop -t, terminationGracePeriodSeconds)",
        loop->server_name, text_show_ms(loop->plan->server.stop_timeout_ms, limit, sizeof limit));
    group_signal(loop->server, SIGKILL, GROUP_ONE);
}

static void drain(const struct loop *loop)
{
    char time[32];

    log_event(LOG_INFO, "server.draining", LOG_NONE, "Draining: %s goes on serving for %s",
              loop->server_name, text_show_ms(loop->plan->server.drain_ms, time, sizeof time));
}

static void tell_rest(void)
{
    char names[NAMES_MAX];
    size_t count = group_name_rest(names, sizeof names);

    if (count > 0)
        log_event(LOG_INFO, "leftovers.told", LOG_FIELDS(LOG_NUMBER("count", count)),
                  "Ending %zu process%s left behind: %s", count, count == 1 ? "" : "es", names);
    group_sweep(SIGTERM);
}

static void kill_rest(const struct loop *loop)
{
    char names[NAMES_MAX];

    if (loop->state.kills == 1) {
        size_t count = group_name_rest(names, sizeof names);
        if (count > 0)
            log_event(LOG_WARN, "leftovers.killed", LOG_FIELDS(LOG_NUMBER("count", count)),
                      "Killing %zu process%s that did not end when told: %s", count,
                      count == 1 ? "" : "es", names);
    }
    group_sweep(SIGKILL);
}

static void tell_end(const struct loop *loop)
{
    char names[NAMES_MAX];

    if (loop->state.kills > 0 && group_name_rest(names, sizeof names) > 0)
        log_event(LOG_ERROR, "leftovers.survived", LOG_NONE, "could not end: %s", names);
}

bool act_perform(struct loop *loop, const struct step *step, struct event *follows)
{
    switch (step->kind) {
    case DO_NOTHING:
        break;
    case DO_NEXT_STAGE:
        return start_next_stage(loop, follows);
    case DO_START_SERVER:
        return start_server(loop, follows);
    case DO_FORWARD:
        forward(loop, step->signal);
        break;
    case DO_DRAIN:
        drain(loop);
        break;
    case DO_STOP_SERVER:
        stop_server(loop, step->signal);
        break;
    case DO_KILL_SERVER:
        kill_server(loop);
        break;
    case DO_TELL_REST:
        tell_rest();
        break;
    case DO_KILL_REST:
        kill_rest(loop);
        break;
    case DO_SUSPEND:
        suspend(loop);
        break;
    case DO_END:
        tell_end(loop);
        break;
    }
    return false;
}
