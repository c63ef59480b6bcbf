/* What is known of each server, found from the command line that starts it. */
#ifndef SERVER_PROFILES_H
#define SERVER_PROFILES_H

#include <stdbool.h>

#include "base/words.h"
#include "plan/plan.h"

/* How a server takes a listening socket that is open already. */
enum passing {
    PASS_NEVER,
    PASS_GUNICORN, /* --bind fd://N in GUNICORN_CMD_ARGS */
    PASS_ONE_FD,   /* UVICORN_FD */
    PASS_WORDS,    /* --bind fd://N on the command line */
    PASS_PROTOCOL  /* LISTEN_FDS and LISTEN_PID */
};

struct profile {
    enum server_kind kind;
    const char *name;
    int stop_signal; /* what a stop is told with; 0: the signal that asked for it */
    bool is_known;   /* HUP, USR1 and the like are for its master only, never its group */
    bool reexecs;    /* USR2 replaces the master by a new one */
    enum passing passing;
    bool rewrites_int; /* INT becomes stop_signal, so the terminal's Ctrl-C must come to us */
};

/* The profile of `kind`, or with SERVER_AUTO the one whose program `command` starts. */
const struct profile *profiles_find(enum server_kind kind, const struct words *command);

/* Does this signal, sent to freshinit, ask the server to end? */
bool profiles_asks_stop(const struct profile *profile, int number);

/* A signal for the master alone, even with -g. */
bool profiles_is_for_master(const struct profile *profile, int number);

#endif
