/*
 * Finds the subcommand, returns its exit code.
 */
#include "base/fault.h"
#include "base/fdio.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "plan/argv.h"
#include "plan/env.h"

int main(int argc, char **argv, char **environment)
{
    struct call call;
    struct fault why;

    const char *no_colour = env_find(environment, "NO_COLOR");

    fdio_fill_streams();
    log_open(!no_colour || no_colour[0] == '\0');
    fault_clear(&why);
    if (argv_read(argc, argv, &call, &why) < 0)
        return fault_report(&why);
    return commands_find(&call)(&(struct invocation){ .call = &call, .environment = environment });
}
