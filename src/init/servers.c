/*
 * Has servers started, signals them, and says how they ended. At most two live at a time.
 */
#include "init/servers.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signame.h"
#include "base/text.h"
#include "init/launch.h"
#include "init/leftovers.h"
#include "init/reexec.h"
#include "proc/group.h"
#include "proc/reap.h"
#include "proc/spawn.h"
#include "proc/twin.h"

/* Runs in the probe's child. */
static int run_probe(const void *context)
{
    const struct loop *loop = context;
    const struct server *server = launch_last(loop);

    return loop->jobs->probe(loop->plan, server->pid, &server->listeners, &server->notify);
}

/* Where nothing tells when the server is ready, it is ready at once. */
static bool start_probe(struct loop *loop, struct server *server, struct event *follows)
{
    struct spawn what = { .body = run_probe,
                          .context = loop,
                          .privs = { .user = &loop->plan->server.user, .no_new_privs = true } };
    struct fault why;

    fault_clear(&why);
    bool is_asked = loop->jobs->probe && spawn_start(&what, &loop->probe_pid, &why) == 0;
    /* The probe has it now. */
    notify_close(&server->notify);
    if (is_asked)
        return false;
    if (why.count > 0)
        log_event(LOG_WARN, "probe.failed", LOG_NONE, "can't ask whether %s is ready: %s",
                  loop->server_name, fault_line(&why, 0));
    *follows = (struct event){ .kind = why.count > 0 ? EVENT_NOT_READY : EVENT_READY };
    return true;
}

static void stop_probe(struct loop *loop)
{
    if (loop->probe_pid != 0)
        group_signal(loop->probe_pid, SIGKILL, GROUP_ALL);
    loop->ended_probe = loop->probe_pid;
    loop->probe_pid = 0;
}

static struct event failed(enum event_kind kind, const struct fault *why)
{
    return (struct event){ .kind = kind, .code = fault_report(why) };
}

static int launch(struct loop *loop, struct server *server, struct fault *why)
{
    server->notify = (struct notify){ 0 };
    if (loop->jobs->is_notified && notify_open(&server->notify, why) < 0)
        return -1;
    if (launch_server(loop, server, why) == 0)
        return 0;
    notify_close(&server->notify);
    return -1;
}

bool servers_start(struct loop *loop, struct event *follows)
{
    bool is_first = loop->generation == 0;
    struct fault why;

    fault_clear(&why);
    loop->server.pid = 0;
    /* After the start stages, which may have freed the port. */
    if (is_first && listen_open(&loop->plan->server.listen, &loop->plan->server.user,
                                &loop->server.listeners, &why) < 0) {
        *follows = failed(EVENT_NO_SERVER, &why);
        return true;
    }
    if (launch(loop, &loop->server, &why) < 0) {
        *follows = failed(EVENT_NO_SERVER, &why);
        return true;
    }
    bool has_event = start_probe(loop, &loop->server, follows);
    if (is_first)
        launch_give_up_privileges(loop);
    return has_event;
}

bool servers_ask(struct loop *loop, struct event *follows)
{
    loop->has_new_workers = true;
    return start_probe(loop, &loop->server, follows);
}

static void forget_other(struct loop *loop)
{
    twin_close(&loop->other.listeners, &loop->server.listeners);
    loop->other.pid = 0;
}

bool servers_start_new(struct loop *loop, struct event *follows)
{
    struct fault why;

    fault_clear(&why);
    if (loop->other.pid != 0) {
        fault_set(&why, "the server of before the last reload (pid %d) is still there",
                  (int)loop->other.pid);
        *follows = failed(EVENT_SPAWN_FAILED, &why);
        return true;
    }
    if (twin_open(&loop->server.listeners, &loop->other.listeners, &why) < 0 ||
        launch(loop, &loop->other, &why) < 0) {
        forget_other(loop);
        *follows = failed(EVENT_SPAWN_FAILED, &why);
        return true;
    }
    return start_probe(loop, &loop->other, follows);
}

/* The new server is the one that serves. */
static void take_over(struct loop *loop)
{
    struct server old = loop->server;

    loop->server = loop->other;
    loop->other = old;
    twin_take_over(&loop->server.listeners);
}

void servers_promote(struct loop *loop)
{
    log_event(LOG_WARN, "server.promoted", LOG_FIELDS(LOG_NUMBER("pid", loop->other.pid)),
              "the old server ended before the new one (pid %d) was ready, which goes on",
              (int)loop->other.pid);
    take_over(loop);
    forget_other(loop);
}

/* Of a stop: -g. */
static enum group_scope scope_of(const struct loop *loop)
{
    return loop->plan->init.group ? GROUP_ALL : GROUP_ONE;
}

/* What a stop means to this server; `asked` is the signal that came, 0 when none did. */
static int stop_signal(const struct loop *loop, int asked)
{
    int number = asked == 0 ? SIGTERM : asked;

    if (loop->plan->init.is_rewritten[number])
        return loop->plan->init.rewrite[number];
    if (loop->plan->server.stop_signal != 0)
        return loop->plan->server.stop_signal;
    if ((number == SIGINT && loop->profile->rewrites_int) ||
        (number == SIGHUP && loop->profile->is_known))
        return loop->profile->stop_signal;
    return number;
}

void servers_take_over(struct loop *loop)
{
    take_over(loop);
    log_event(LOG_INFO, "server.retiring", LOG_FIELDS(LOG_NUMBER("pid", loop->other.pid)),
              "%s (pid %d) is ready; stopping the old one (pid %d)", loop->server_name,
              (int)loop->server.pid, (int)loop->other.pid);
}

static void signal_server(const struct server *server, int number, enum group_scope scope)
{
    group_signal(scope == GROUP_ALL ? server->group : server->pid, number, scope);
}

static void tell_to_stop(const struct loop *loop, const struct server *server, int number)
{
    signal_server(server, number, scope_of(loop));
    /* One that was stopped by SIGSTOP would not hear it. */
    signal_server(server, SIGCONT, GROUP_ONE);
}

void servers_retire(const struct loop *loop)
{
    tell_to_stop(loop, &loop->other, stop_signal(loop, 0));
}

/* The new one has had it since its start. */
static void give_terminal_back(const struct loop *loop)
{
    if (!launch_keeps_terminal(loop))
        pid1_give_terminal(loop->self, loop->server.group);
}

void servers_abandon(struct loop *loop)
{
    stop_probe(loop);
    give_terminal_back(loop);
    log_event(LOG_WARN, "server.abandoned", LOG_FIELDS(LOG_NUMBER("pid", loop->other.pid)),
              "the new %s (pid %d) did not become ready: ended, the old one goes on",
              loop->server_name, (int)loop->other.pid);
    signal_server(&loop->other, SIGKILL, GROUP_ALL);
    forget_other(loop);
}

void servers_kill_old(const struct loop *loop)
{
    char limit[32];

    log_event(LOG_WARN, "server.killed", LOG_FIELDS(LOG_NUMBER("pid", loop->other.pid)),
              "the old %s (pid %d) did not end within %s (stale_worker_timeout): killed",
              loop->server_name, (int)loop->other.pid,
              text_show_ms(loop->plan->server.stale_worker_timeout_ms, limit, sizeof limit));
    signal_server(&loop->other, SIGKILL, GROUP_ALL);
}

/* --rewrite, or the signal itself; 0: it is dropped. */
static int rewritten(const struct loop *loop, int number)
{
    const struct init_plan *init = &loop->plan->init;

    return init->is_rewritten[number] ? init->rewrite[number] : number;
}

void servers_forward(struct loop *loop, int number)
{
    bool wants_group = loop->plan->init.group && !profiles_is_for_master(loop->profile, number);
    int sent = rewritten(loop, number);
    char from[16];
    char to[16];

    if (loop->server.pid == 0 || sent == 0)
        return;
    log_event(LOG_DEBUG, "signal.forwarded",
              LOG_FIELDS(LOG_NUMBER("signal", number), LOG_NUMBER("sent", sent)),
              "SIG%s came, SIG%s sent to %s", signame_text(number, from, sizeof from),
              signame_text(sent, to, sizeof to), wants_group ? "its group" : "the server");
    state_count(loop->record, COUNT_FORWARDED, 1);
    if (sent == SIGUSR2)
        reexec_note(loop);
    signal_server(&loop->server, sent, wants_group ? GROUP_ALL : GROUP_ONE);
}

void servers_stop(const struct loop *loop, int asked)
{
    const struct server *both[] = { &loop->server, &loop->other };
    int number = stop_signal(loop, asked);
    char name[16];
    char has[32];

    for (size_t i = 0; i < COUNT(both) && number != 0; i++) {
        if (both[i]->pid == 0)
            continue;
        log_event(LOG_INFO, "server.stopping",
                  LOG_FIELDS(LOG_NUMBER("pid", both[i]->pid), LOG_NUMBER("signal", number)),
                  "Stopping %s (pid %d) with SIG%s: it has %s", loop->server_name,
                  (int)both[i]->pid, signame_text(number, name, sizeof name),
                  text_show_ms(loop->state.deadline_ms - clock_ms(), has, sizeof has));
        tell_to_stop(loop, both[i], number);
    }
}

void servers_kill(const struct loop *loop)
{
    char limit[32];

    if (loop->server.pid == 0)
        return;
    log_event(LOG_WARN, "server.killed", LOG_FIELDS(LOG_NUMBER("pid", loop->server.pid)),
              "%s did not end within %s: killed. To give it longer raise [server] stop_timeout, "
              "and the platform's own time with it (docker stop -t, terminationGracePeriodSeconds)",
              loop->server_name,
              text_show_ms(loop->plan->server.stop_timeout_ms, limit, sizeof limit));
    signal_server(&loop->server, SIGKILL, GROUP_ONE);
}

bool servers_has(const struct loop *loop, pid_t pid)
{
    return pid == loop->server.pid || pid == loop->other.pid;
}

static void tell_ended(const struct loop *loop, pid_t pid, int status)
{
    int code = reap_code(status);
    bool is_expected = loop->state.is_stop_asked || pid == loop->other.pid;
    char name[16];

    if (reap_signal(status))
        log_event(is_expected ? LOG_INFO : LOG_WARN, "server.ended",
                  LOG_FIELDS(LOG_NUMBER("pid", pid), LOG_NUMBER("code", code)),
                  "%s (pid %d) was ended by SIG%s", loop->server_name, (int)pid,
                  signame_text(reap_signal(status), name, sizeof name));
    else
        log_event(LOG_INFO, "server.ended",
                  LOG_FIELDS(LOG_NUMBER("pid", pid), LOG_NUMBER("code", code)),
                  "%s (pid %d) ended with status %d", loop->server_name, (int)pid, code);
}

struct event servers_ended(struct loop *loop, pid_t pid, int status)
{
    int code = reap_code(status);
    bool is_other = pid == loop->other.pid;
    bool is_new = loop->state.task == TASK_START_NEW;

    tell_ended(loop, pid, status);
    if (is_other) {
        leftovers_kill_group(loop, loop->other.group);
        forget_other(loop);
        if (is_new) {
            stop_probe(loop);
            give_terminal_back(loop);
        }
        return (struct event){ .kind = is_new ? EVENT_NEW_ENDED : EVENT_OLD_ENDED, .code = code };
    }
    if (loop->state.task == TASK_RESTART)
        leftovers_kill_group(loop, loop->server.group);
    if (!is_new)
        stop_probe(loop);
    loop->server.pid = 0;
    pid1_give_terminal(loop->self, getpgrp());
    return (struct event){ .kind = EVENT_SERVER_ENDED, .code = code };
}

struct event servers_probed(struct loop *loop, int status)
{
    loop->probe_pid = 0;
    return (struct event){ .kind = reap_code(status) == 0 ? EVENT_READY : EVENT_NOT_READY };
}

void servers_suspend(const struct loop *loop)
{
    /* The shell that started us must see us stop, too. We come back when it continues us. */
    group_suspend_self();
    if (tcgetpgrp(STDIN_FILENO) == getpgrp() && !launch_keeps_terminal(loop))
        pid1_give_terminal(loop->self, loop->server.group);
    signal_server(&loop->server, SIGCONT, GROUP_ALL);
}
