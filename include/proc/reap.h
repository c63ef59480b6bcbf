/* One finished child at a time, and its exit code. The only place that reaps. */
#ifndef PROC_REAP_H
#define PROC_REAP_H

#include <stdbool.h>
#include <sys/types.h>

enum reap_kind {
    REAP_NOTHING,  /* children run, none has anything to tell */
    REAP_NO_CHILD, /* there is no child, so no descendant either */
    REAP_ENDED,
    REAP_SUSPENDED /* stopped by a signal, such as Ctrl-Z */
};

struct reap_event {
    enum reap_kind kind;
    pid_t pid;
    int status; /* of wait(2) */
};

/* Never blocks. */
struct reap_event reap_next(void);

/* Without children there are no descendants either: as PID 1 or subreaper theirs come to us. */
bool reap_has_children(void);

/* The status, or 128 + N for a child that signal N ended. */
int reap_code(int status);
/* Was it stopped as a job of a terminal (Ctrl-Z, a read from the background), or merely by STOP? */
bool reap_is_job_stop(int status);
/* The signal that ended it, or 0. */
int reap_signal(int status);

#endif
