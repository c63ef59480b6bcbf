/*
 * The order of the sources: defaults, file, environment, command line. Then values, rules, and the
 * environment of children.
 */
#include "plan/build.h"

#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "plan/builtin.h"
#include "plan/draft.h"
#include "plan/env.h"
#include "plan/environ.h"
#include "plan/rules.h"
#include "plan/sets.h"
#include "plan/settle.h"

enum { FOLDER_SIZE = 1024 };

static bool is_subcommand(const struct call *call, const char *name)
{
    return call->subcommand && strcmp(call->subcommand, name) == 0;
}

/* 1 when there is no file. */
static int load_file(const struct call *call, char *const *environment, struct inifile *out,
                     struct fault *why)
{
    const char *named = env_find(environment, "FRESHINIT_CONFIG");

    if (call->config)
        return inifile_load(call->config, false, out, why);
    if (named && *named != '\0')
        return inifile_load(named, false, out, why);
    int result = inifile_load("/etc/freshinit.ini", true, out, why);
    return result == 1 ? inifile_load("freshinit.ini", true, out, why) : result;
}

/* What is done without a file: nothing in a directory of the system. */
static bool load_builtin(struct inifile *out, const char **out_system)
{
    char folder[FOLDER_SIZE];

    if (getcwd(folder, sizeof folder) && builtin_is_system(folder)) {
        *out_system = arena_text(folder, strlen(folder));
        return false;
    }
    *out = builtin_file();
    return true;
}

static void take_command(struct plan *plan, const struct call *call)
{
    struct source *source = draft_source(plan, NULL, keys_find(KEY_SERVER, "command"));

    if (call->subcommand || call->word_count == 0)
        return;
    *source = (struct source){ .kind = SOURCE_ARGV };
    plan->server.command = (struct words){ .items = call->words, .count = call->word_count };
}

struct plan *build_plan(const struct call *call, char *const *environment, struct fault *why)
{
    struct plan *plan = draft_plan();
    struct inifile file = { 0 };
    struct strays strays = { .count = 0 };
    const char *system_folder = NULL;
    int verbosity = call->verbosity;

    fault_code(why, EXIT_CONFIG);
    plan->version = FRESHINIT_VERSION;
    plan->given = environment;
    plan->init = call->init;
    plan->has_stages = !call->no_stages && !call->init.is_tini;
    if (call->init.is_tini) {
        env_tini(&plan->init, &verbosity, environment);
    } else {
        int found = load_file(call, environment, &file, why);
        if (found < 0)
            return NULL;
        plan->config = found == 0 ? file.name : NULL;
        plan->config_inode = file.inode;
        plan->config_changed = file.changed;
        if (found == 0 || load_builtin(&file, &system_folder)) {
            struct draft draft = { .plan = plan, .file = file.name, .why = why };
            const struct inifile_handler handler = draft_handler(&draft);
            inifile_parse(&file, &handler, why);
        }
        env_read(plan, environment, &strays);
        sets_apply(plan, call, why);
    }
    take_command(plan, call);
    settle_plan(plan, environment, verbosity, why);
    env_warn(plan, &strays);
    if (system_folder && plan->has_stages)
        log_event(LOG_WARN, "config.system_directory", LOG_NONE,
                  "the working directory is %s: without a configuration no cache is cleared there",
                  system_folder);
    rules_check(plan, why);
    if (!call->subcommand)
        rules_need_command(plan, why);
    if (environ_build(plan, environment, is_subcommand(call, "clean"), why) < 0)
        return plan;
    return plan;
}
