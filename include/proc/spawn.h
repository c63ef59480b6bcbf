/* Starts a child: as a program or as a function. fork, never vfork: an exec on a hung mount must
 * not stop PID 1 for more than a moment. */
#ifndef PROC_SPAWN_H
#define PROC_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/fault.h"
#include "proc/listen.h"
#include "proc/privs.h"

struct spawn {
    /* Either a program, found in the PATH of its environment ... */
    char *const *argv;
    char *const *environment;
    /* ... or a function, whose result is the exit status. */
    int (*body)(const void *context);
    /* What it does first in the child, before the user changes and signals come; may be NULL. */
    void (*prepare)(const void *context);
    const void *context;

    struct privs privs;
    const char *workdir; /* NULL: stays */
    bool has_umask;
    unsigned umask;
    const struct listeners *listeners; /* become descriptors 3, 4, ...; NULL: none */
    const char *notify;                /* the value of NOTIFY_SOCKET; NULL or "": as it is */
    int output;                        /* a descriptor for stdout and stderr; 0: they stay */
    bool has_no_input;                 /* stdin is /dev/null */
    bool takes_terminal;               /* becomes the terminal's foreground group */
    bool hands_streams;                /* standard streams are given to the user */
    bool keeps_group; /* stays in the caller's process group; else it leads its own */
};

/* The child has a clean start: every signal at its default (a function's keeps SIGPIPE ignored),
 * none blocked, none of our descriptors. LISTEN_PID is put right where it means us or says "self".
 * A program that can't be started ends the child with 126 or 127, a refused user with 125, and the
 * child says why itself. -1: no process could be made. */
MUST_USE int spawn_start(const struct spawn *what, pid_t *out, struct fault *why);

/* In the child that a function runs in: becomes the program. Returns only when that fails. */
MUST_USE int spawn_become(const struct spawn *what, struct fault *why);

/* Is there a file of that name, which has no slash, in the PATH of the environment? */
bool spawn_finds(const char *name, char *const *environment);

#endif
