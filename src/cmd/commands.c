/*
 * The subcommands. Their words and options are in plan/options.c, their help comes from there.
 */
#include "cmd/commands.h"

#include <string.h>

#include "base/attr.h"

static const struct {
    const char *name;
    int (*run)(const struct invocation *invocation);
} commands[] = {
    { "clean", clean_command },   { "check", check_command }, { "status", status_command },
    { "health", health_command }, { "seal", seal_command },   { "verify", verify_command },
    { "reload", reload_command },
};

int (*commands_find(const struct call *call))(const struct invocation *invocation)
{
    if (call->wants_help || call->wants_version)
        return help_command;
    for (size_t i = 0; call->subcommand && i < COUNT(commands); i++)
        if (strcmp(call->subcommand, commands[i].name) == 0)
            return commands[i].run;
    return run_command;
}
