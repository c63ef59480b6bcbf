/*
 * Finds the subcommand, returns its exit code.
 */
#include "base/fault.h"
#include "base/fdio.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "plan/argv.h"
#include "plan/env.h"

/* 0, or the exit code. In a frame of its own, whose pages are given back. */
NOT_INLINE static int read_arguments(int argc, char **argv, struct call *out)
{
    struct fault why;

    fault_clear(&why);
    return argv_read(argc, argv, out, &why) < 0 ? fault_report(&why) : 0;
}

int main(int argc, char **argv, char **environment)
{
    const char *no_colour = env_find(environment, "NO_COLOR");
    struct call call;

    fdio_fill_streams();
    log_open(!no_colour || no_colour[0] == '\0');
    int code = read_arguments(argc, argv, &call);
    if (code != 0)
        return code;
    return commands_find(&call)(&(struct invocation){ .call = &call, .environment = environment });
}
