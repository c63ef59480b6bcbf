/* Waits for events, asks the policy, does what it says, until nothing is left to do. */
#ifndef INIT_LOOP_H
#define INIT_LOOP_H

#include <sys/types.h>

#include "base/attr.h"
#include "init/job.h"
#include "init/pid1.h"
#include "init/policy.h"
#include "plan/plan.h"
#include "server/profiles.h"

struct loop {
    const struct plan *plan;
    const struct jobs *jobs;
    const struct pid1 *self;
    const struct profile *profile;
    struct policy_rules rules;
    struct policy state;

    enum when phase; /* of the stages that run now or ran last */
    size_t next_job;
    const struct job *stage; /* that runs now, or NULL */
    pid_t stage_pid;
    int64_t stage_deadline_ms; /* when it is ended; CLOCK_NEVER when none runs */
    bool is_stage_late;
    size_t stages_run;
    size_t stages_failed;
    int64_t phase_start_ms;

    pid_t server; /* 0: does not run */
    const char *server_name;
};

/* Returns the exit status of the container. */
MUST_USE int loop_run(const struct jobs *jobs, const struct plan *plan, const struct pid1 *self);

#endif
