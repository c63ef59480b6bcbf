/*
 * Finds the subcommand, returns its exit code.
 */
#include <string.h>

#include "base/fault.h"
#include "base/fdio.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "plan/argv.h"
#include "plan/env.h"

/* Who reads JSON reads every line: also why there is no plan, and why a file is not read. */
static void choose_form(const struct call *call, char **environment)
{
    static const char key[] = "freshinit.log";
    const char *wanted = env_find(environment, "FRESHINIT_LOG");

    for (size_t i = 0; i < call->set_count; i++) {
        const char *end = call->sets[i].key + sizeof key - 1;
        if (strncmp(call->sets[i].key, key, sizeof key - 1) == 0 && (*end == '\0' || *end == '='))
            wanted = call->sets[i].value;
    }
    if (wanted && strcmp(wanted, "json") == 0 && !call->init.is_tini)
        log_setup(LOG_FORMAT_JSON, LOG_INFO);
}

/* 0, or the exit code. In a frame of its own, whose pages are given back. */
NOT_INLINE static int read_arguments(int argc, char **argv, char **environment, struct call *out)
{
    struct fault why;

    fault_clear(&why);
    int result = argv_read(argc, argv, out, &why);
    choose_form(out, environment);
    return result < 0 ? fault_report(&why) : 0;
}

int main(int argc, char **argv, char **environment)
{
    const char *no_colour = env_find(environment, "NO_COLOR");
    struct call call;

    fdio_fill_streams();
    log_open(!no_colour || no_colour[0] == '\0');
    int code = read_arguments(argc, argv, environment, &call);
    if (code != 0)
        return code;
    return commands_find(&call)(&(struct invocation){ .call = &call, .environment = environment });
}
