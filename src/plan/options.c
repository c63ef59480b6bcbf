/*
 * The tables of options and subcommands, so that parser and help can't differ.
 */
#include "plan/options.h"

#include <string.h>

#include "base/attr.h"

/* One bit for each row of the table of subcommands. */
enum {
    AT_CLEAN = OPTION_SUBCOMMAND << 0,
    AT_CHECK = OPTION_SUBCOMMAND << 1,
    AT_STATUS = OPTION_SUBCOMMAND << 2,
    AT_HEALTH = OPTION_SUBCOMMAND << 3,
    AT_RELOAD = OPTION_SUBCOMMAND << 4,
    AT_SEAL = OPTION_SUBCOMMAND << 5,
    AT_VERIFY = OPTION_SUBCOMMAND << 6
};
#define AT_PLAN (OPTION_RUN | AT_CLEAN | AT_CHECK)
#define AT_START (OPTION_RUN | OPTION_TINI)
/* What looks at a freshinit that runs. */
#define AT_LOOK (AT_STATUS | AT_HEALTH | AT_RELOAD | AT_SEAL | AT_VERIFY)
#define AT_ALL (OPTION_RUN | OPTION_TINI | AT_CLEAN | AT_CHECK | AT_LOOK)

static const struct subcommand subcommands[] = {
    { "clean", "[TARGET...]", "Run the stages for build time (when = build), then exit" },
    { "check", NULL, "Read the configuration, print the plan it makes, run nothing" },
    { "status", NULL, "What was done at start, and what runs now" },
    { "health", "[URL]", "One probe, for HEALTHCHECK and exec probes: exit 0 or 1" },
    { "reload", NULL, "Ask the running freshinit to reload, wait, say how it went" },
    { "seal", "[DIR...]", "Write down what was built, for start and verify; in a Dockerfile" },
    { "verify", NULL, "The deployment checklist as one table; exit 1 if a line fails" },
};

/* clang-format off: one row, one option */
static const struct option options[] = {
    { 0, "config", "FILE", NULL, AT_PLAN | AT_LOOK,
      "Else $FRESHINIT_CONFIG, /etc/freshinit.ini, ./freshinit.ini" },
    { 0, "set", "SECTION.KEY=VALUE", NULL, AT_PLAN | AT_LOOK,
      "Set any key, like server.umask=027 (repeatable)" },
    { 0, "user", "U[:G]", "server.user", AT_PLAN, "Run the server as this user" },
    { 0, "stop-timeout", "TIME", "server.stop_timeout", AT_PLAN,
      "The time of a whole stop, then KILL" },
    { 0, "log", "human|json", "freshinit.log", AT_PLAN, "The form of the log" },
    { 0, "no-stages", NULL, NULL, OPTION_RUN, "Run no stage" },
    { 0, "rewrite", "S:R", NULL, OPTION_RUN,
      "Forward signal R for S; R 0: not at all (repeatable)" },
    { 0, "single-child", NULL, NULL, OPTION_RUN, "Signal the server only, never its group" },
    { 0, "dry-run", NULL, NULL, AT_CLEAN, "Say what would be done, do nothing" },
    { 0, "json", NULL, NULL, AT_STATUS | AT_VERIFY, "Print it as JSON" },
    { 0, "timeout", "TIME", "health.timeout", AT_HEALTH, "The time that the answer has" },
    { 0, "grace", "TIME", NULL, AT_VERIFY, "What the platform gives a stop; 10s, Kubernetes 30s" },
    { 's', NULL, NULL, NULL, AT_START, "Be a subreaper (on by itself when not PID 1)" },
    { 'p', NULL, "SIG", NULL, AT_START, "Get this signal when the parent dies" },
    { 'g', NULL, NULL, NULL, AT_START, "Signal the whole process group" },
    { 'e', NULL, "CODE", NULL, AT_START, "Exit with 0 instead of CODE (repeatable)" },
    { 'v', NULL, NULL, NULL, AT_ALL, "Log more (repeatable)" },
    { 'w', NULL, NULL, NULL, AT_START, "Warn when zombies are reaped" },
    { 'l', NULL, NULL, NULL, OPTION_TINI, "Print the version" },
    { 'h', "help", NULL, NULL, AT_ALL, "Print this help" },
    { 0, "version", NULL, NULL, AT_ALL, "Print the version" },
};
/* clang-format on */

const struct option *options_at(size_t index)
{
    return index < COUNT(options) ? &options[index] : NULL;
}

size_t options_index(const struct option *option)
{
    return (size_t)(option - options);
}

const struct subcommand *options_subcommand_at(size_t index)
{
    return index < COUNT(subcommands) ? &subcommands[index] : NULL;
}

_Static_assert(COUNT(options) <= OPTIONS_MAX, "more options than argv.c has room for");

bool options_fits(const struct option *option, const struct subcommand *subcommand)
{
    unsigned bit = OPTION_RUN;

    if (subcommand)
        bit = (unsigned)OPTION_SUBCOMMAND << (subcommand - subcommands);
    return (option->where & bit) != 0;
}

const struct subcommand *options_subcommand(const char *name)
{
    for (size_t i = 0; i < COUNT(subcommands); i++)
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}
