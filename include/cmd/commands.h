/* The table of subcommands: what runs for each word. */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "plan/argv.h"

/* What every subcommand is given. */
struct invocation {
    const struct call *call;
    char *const *environment;
};

/* Each returns the exit status. */
int run_command(const struct invocation *invocation);
int clean_command(const struct invocation *invocation);
int check_command(const struct invocation *invocation);
int status_command(const struct invocation *invocation);
int health_command(const struct invocation *invocation);
int seal_command(const struct invocation *invocation);
int verify_command(const struct invocation *invocation);
int reload_command(const struct invocation *invocation);
int help_command(const struct invocation *invocation);

/* By what argv_read found: run_command where there is no subcommand. */
int (*commands_find(const struct call *call))(const struct invocation *invocation);

#endif
