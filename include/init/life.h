/* What the loop knows; its parts are changed by stages.c, servers.c and leftovers.c. No
 * functions. */
#ifndef INIT_LIFE_H
#define INIT_LIFE_H

#include <stdint.h>
#include <sys/types.h>

#include "init/event.h"
#include "init/job.h"
#include "init/pid1.h"
#include "init/state.h"
#include "plan/plan.h"
#include "proc/listen.h"
#include "proc/notify.h"
#include "server/profiles.h"

/* A server: its main process. pid 0: does not run. */
struct server {
    pid_t pid;
    pid_t group;         /* which it leads, unless it took the place of the one that did (USR2) */
    unsigned generation; /* counts from 1 */
    int64_t start_ms;
    struct listeners listeners; /* that it is given */
    struct notify notify;       /* while it is waited for, where it says itself that it is ready */
};

struct loop {
    const struct plan *plan;
    const struct jobs *jobs;
    const struct pid1 *self;
    const struct profile *profile;
    const char *server_name;
    struct policy_rules rules;
    struct policy state;
    struct state *record;

    enum when phase; /* of the stages that run now or ran last */
    size_t next_job;
    const struct job *stage; /* that runs now, or NULL */
    pid_t stage_pid;
    int64_t stage_deadline_ms; /* when it is ended; CLOCK_NEVER when none runs */
    bool is_stage_late;
    size_t stages_run;
    size_t stages_failed;
    size_t stages_refreshing; /* of those that were run */
    int64_t stages_start_ms;

    struct server server;   /* that serves, or is to */
    struct server other;    /* handover: the new one until it is ready, then the old one */
    pid_t ended_probe;      /* ours, and on its way out: nothing that was left behind */
    pid_t probe_pid;        /* the child that finds out whether the last one is ready */
    bool has_more_children; /* that have ended, and for which no signal will come */
    unsigned generation;
    int64_t reload_start_ms;
    bool has_new_workers;  /* all of the last reload's */
    uint64_t reload_ticks; /* what began until then is of before; 0: it was not told to reload */
    uint64_t usr2_ticks;   /* when gunicorn was asked to replace itself; 0: was not */
};

#endif
