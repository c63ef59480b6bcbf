/*
 * The whole product: the stages, then the server, then nothing left behind.
 */
#include <string.h>
#include <unistd.h>

#include "base/exitcode.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/image.h"
#include "cmd/jobs.h"
#include "cmd/load.h"
#include "cmd/probe.h"
#include "init/loop.h"
#include "init/pid1.h"
#include "plan/guess.h"
#include "plan/options.h"
#include "proc/privs.h"
#include "proc/spawn.h"
#include "server/advice.h"
#include "server/way.h"

static void tell_start(const struct plan *plan)
{
    bool is_released = plan->release[0] != '\0';

    log_event(LOG_INFO, "start",
              LOG_FIELDS(LOG_TEXT("version", plan->version), LOG_NUMBER("pid", getpid()),
                         LOG_TEXT("release", plan->release),
                         LOG_TEXT("config", plan->config ? plan->config : "")),
              "freshinit %s: pid %d%s%s, %s", plan->version, (int)getpid(),
              is_released ? ", release " : "", plan->release,
              plan->config ? plan->config : "no configuration file");
}

static enum policy_way way_of(const struct plan *plan)
{
    if (plan->init.is_tini)
        return WAY_NONE;
    switch (plan->server.reload) {
    case RELOAD_HANDOVER:
        return WAY_HANDOVER;
    case RELOAD_SIGNAL:
        return WAY_SIGNAL;
    case RELOAD_RESTART:
        return WAY_RESTART;
    case RELOAD_AUTO:
    case RELOAD_NONE:
        break;
    }
    return WAY_NONE;
}

/* What the server's jobs are besides the stages. */
static void add_server(const struct plan *plan, struct jobs *jobs)
{
    const struct server_plan *server = &plan->server;

    jobs->way = way_of(plan);
    jobs->recycles = way_recycles(plan, profiles_find(server->kind, &server->command));
    jobs->is_notified = probe_is_notified(plan);
    jobs->asks_workers = jobs->way == WAY_SIGNAL && probe_asks(plan);
    jobs->probe = server->ready || server->listen.count > 0 ? probe_server : NULL;
}

/* False: it is stale, and that was to be the end. */
static bool is_good_image(const struct plan *plan)
{
    bool fails = plan->on_stale_image == ON_ERROR_FAIL;
    char text[1024];

    if (image_judge(plan, text, sizeof text) <= IMAGE_EXPECTED)
        return true;
    log_event(fails ? LOG_ERROR : LOG_WARN, "image.stale",
              LOG_FIELDS(LOG_TEXT("release", plan->release), LOG_TEXT("expected", plan->expect)),
              "stale image: %s", text);
    return !fails;
}

/* A subcommand with a slip of the finger, perhaps in a container that serves: stages would run. */
static int check_word(const struct call *call, const struct plan *plan)
{
    const struct subcommand *subcommand;
    const char *word = call->words[0];
    struct guess guess;
    struct fault why;

    if (call->word_count == 0 || call->is_explicit || plan->init.is_tini || strchr(word, '/'))
        return 0;
    guess_start(&guess, word);
    guess_offer(&guess, "help");
    guess_offer(&guess, "version");
    for (size_t i = 0; (subcommand = options_subcommand_at(i)); i++)
        guess_offer(&guess, subcommand->name);
    if (guess.best[0] == '\0' || spawn_finds(word, plan->environment))
        return 0;
    bool is_option = !options_subcommand(guess.best);
    fault_clear(&why);
    fault_code(&why, EXIT_USAGE);
    fault_set(&why,
              "\"%s\" is no subcommand, and no program in PATH: did you mean %s%s? (a program: "
              "freshinit -- %s)",
              word, is_option ? "--" : "", guess.best, word);
    return fault_report(&why);
}

/* What would end the start all the same, before a stage runs that has to be run again then. */
static int check_users(const struct plan *plan, const struct jobs *jobs)
{
    struct fault why;
    int result = 0;

    fault_clear(&why);
    if (jobs->count > 0)
        result = privs_may_become(&plan->server.user, &why);
    for (size_t i = 0; i < jobs->count && result == 0; i++)
        if ((jobs->items[i].when & WHEN_START) && jobs->items[i].on_error == ON_ERROR_FAIL)
            result = privs_may_become(jobs->items[i].user, &why);
    return result < 0 ? fault_report(&why) : 0;
}

/* NULL, with the exit code: that was told. In a frame of its own, whose pages are given back. */
NOT_INLINE static const struct plan *prepare(const struct invocation *invocation, struct pid1 *self,
                                             int *out_code)
{
    struct fault why;

    fault_clear(&why);
    /* First, so that no signal is lost while the plan is read. */
    if (pid1_prepare(self, &why) == 0) {
        const struct plan *plan = load_plan(invocation, &why);
        if (plan && pid1_follow_parent(plan->init.parent_signal, &why) == 0)
            return plan;
    }
    *out_code = fault_report(&why);
    return NULL;
}

int run_command(const struct invocation *invocation)
{
    struct jobs_wanted wanted = { .phase = WHEN_START, .has_server = true };
    struct pid1 self;
    struct jobs jobs;
    int code = 0;

    const struct plan *plan = prepare(invocation, &self, &code);
    if (!plan)
        return code;
    code = check_word(invocation->call, plan);
    if (code != 0)
        return code;
    jobs_from_plan(plan, &wanted, &jobs);
    add_server(plan, &jobs);
    tell_start(plan);
    advice_give(plan, profiles_find(plan->server.kind, &plan->server.command));
    if (!is_good_image(plan))
        return EXIT_STAGE;
    code = check_users(plan, &jobs);
    if (code != 0)
        return code;
    return loop_run(&jobs, plan, &self);
}
