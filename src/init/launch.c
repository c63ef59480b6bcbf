/*
 * Starts one server as the plan wants it. Never decides which one serves, nor when.
 */
#include "init/launch.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "plan/print.h"
#include "plan/renew.h"
#include "proc/spawn.h"

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

/* Runs in the child, so that no word of the server comes before it. */
static void tell_started(const void *context)
{
    const struct loop *loop = context;
    const struct server_plan *plan = &loop->plan->server;
    char words[400];
    char command[400];
    char kept[200];
    char identity[300] = "";

    join(&plan->command, words, sizeof words);
    print_masked(words, command, sizeof command);
    join(&plan->capabilities, kept, sizeof kept);
    if (plan->user.text)
        snprintf(identity, sizeof identity, ", user %s, capabilities %s", plan->user.text,
                 kept[0] != '\0' ? kept : "none");
    log_event(LOG_INFO, "server.started",
              LOG_FIELDS(LOG_NUMBER("pid", getpid()), LOG_TEXT("command", command),
                         LOG_NUMBER("generation", launch_last(loop)->generation)),
              "Starting %s (pid %d%s)", command, (int)getpid(), identity);
}

void launch_give_up_privileges(const struct loop *loop)
{
    struct privs_kept kept = {
        .for_servers = loop->rules.recycles || loop->rules.way >= WAY_RESTART ||
                       /* The probe becomes the server's user, too. */
                       loop->rules.asks_workers,
        .for_ports =
            loop->rules.way == WAY_HANDOVER && listen_has_low_port(&loop->server.listeners),
        .capabilities = &loop->plan->server.capabilities,
    };
    struct fault why;

    if (!loop->plan->server.user.text || geteuid() != 0)
        return;
    for (size_t i = 0; i < loop->jobs->count; i++) {
        unsigned later = WHEN_STOP | WHEN_READY | (loop->rules.way != WAY_NONE ? WHEN_RELOAD : 0);
        if (loop->jobs->items[i].when & later)
            kept.for_stages = true;
    }
    fault_clear(&why);
    if (privs_keep(&kept, &why) < 0)
        log_event(LOG_WARN, "privs.kept", LOG_NONE, "freshinit keeps its privileges: %s",
                  fault_line(&why, 0));
}

/* Ctrl-C must come to us where it means something else to the server, and where a server that ends
 * by itself would be started again. */
bool launch_keeps_terminal(const struct loop *loop)
{
    return loop->profile->rewrites_int || loop->plan->init.is_rewritten[SIGINT] ||
           loop->rules.recycles;
}

const struct server *launch_last(const struct loop *loop)
{
    return loop->state.task == TASK_START_NEW ? &loop->other : &loop->server;
}

/* Runs in the child of every server but the first: the release may be another one by now. */
static int run_renewed(const void *context)
{
    const struct loop *loop = context;
    const struct plan *plan = renew_plan(loop->plan);
    const struct spawn what = { .argv = plan->server.command.items,
                                .environment = plan->environment,
                                .notify = launch_last(loop)->notify.name,
                                .privs = { .user = &plan->server.user } };
    struct fault why;

    fault_clear(&why);
    if (plan != loop->plan)
        log_event(LOG_INFO, "release.changed", LOG_FIELDS(LOG_TEXT("release", plan->release)),
                  "The release is %s now, at the start it was %s", plan->release,
                  loop->plan->release);
    if (loop->jobs->count == 0)
        renew_tell_config(plan);
    if (spawn_become(&what, &why) < 0)
        return fault_report(&why);
    return EXIT_OURS;
}

int launch_server(struct loop *loop, struct server *out, struct fault *why)
{
    const struct server_plan *plan = &loop->plan->server;
    struct spawn what = {
        .argv = plan->command.items,
        .environment = loop->plan->environment,
        .privs = { .user = &plan->user,
                   .capabilities = plan->has_capabilities ? &plan->capabilities : NULL,
                   .no_new_privs = plan->no_new_privs },
        .workdir = plan->workdir,
        .has_umask = plan->has_umask,
        .umask = plan->umask,
        .takes_terminal = loop->self->has_terminal && !launch_keeps_terminal(loop),
        .hands_streams = true,
        .listeners = &out->listeners,
        .notify = out->notify.name,
        .prepare = tell_started,
        .body = loop->generation > 0 ? run_renewed : NULL,
        .context = loop,
    };

    out->generation = loop->generation + 1;
    out->start_ms = clock_ms();
    if (spawn_start(&what, &out->pid, why) < 0)
        return -1;
    out->group = out->pid;
    loop->generation++;
    return 0;
}
