/* The freshinit that runs here: what it tells of itself, and what it started. */
#ifndef CMD_RUNNING_H
#define CMD_RUNNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/fault.h"
#include "cmd/commands.h"
#include "init/state.h"
#include "plan/plan.h"

struct running {
    bool is_found;
    bool is_ours; /* written by root or by our own user: what it names may be opened */
    struct state_record record;
};

/* Believes a record only whole, of a known version, of this PID namespace, of a process that lives,
 * and written by root or by that process's user. -1: why says what was found instead. */
MUST_USE int running_find(const char *state_dir, struct running *out, struct fault *why);

/* The plan, of the configuration and working directory of the freshinit that runs, where it tells
 * them and the command line does not name another. NULL: `why` has all faults. Where none runs,
 * `out` says so and `none` why. */
const struct plan *running_plan(const struct invocation *invocation, struct running *out,
                                struct fault *none, struct fault *why);

enum role {
    ROLE_SERVER, /* its main process */
    ROLE_WORKER, /* below it */
    ROLE_HELPER, /* Python's own resource tracker, which runs nothing of the application */
    ROLE_ORPHAN, /* its parent has ended */
    ROLE_OURS    /* a stage, a probe */
};

struct process {
    pid_t pid;
    pid_t parent;
    pid_t group;
    uint64_t start; /* ticks */
    char state;
    enum role role;
    bool is_other; /* in a hand-over: of the server that does not serve yet, or no more */
    bool is_stale; /* of the server, and began before the last reload */
    char name[32];
};

enum { PROCESSES_MAX = 4096 };

struct processes {
    size_t count;
    size_t zombies;
    size_t orphans;
    size_t stale;
    bool is_cut; /* there are more */
    struct process items[PROCESSES_MAX];
};

/* All that descends from freshinit. False when /proc does not tell. */
bool running_processes(const struct state_record *record, struct processes *out);

/* "12 (gunicorn)" */
const char *running_name(const struct process *process, char *out, size_t out_size);

/* How long a process has lived. */
int64_t running_age_ms(const struct process *process);

#endif
