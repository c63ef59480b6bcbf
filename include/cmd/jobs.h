/* The plan as a list of jobs: one for each stage, or for neighbours that share one walk. */
#ifndef CMD_JOBS_H
#define CMD_JOBS_H

#include <stdbool.h>

#include "base/words.h"
#include "init/job.h"
#include "plan/plan.h"

struct jobs_wanted {
    enum when phase;             /* of the first stages */
    const struct words *targets; /* only stages of these; NULL: of any */
    bool is_dry;
    bool has_server;
};

/* Kept in the arena, so before the seal. */
void jobs_from_plan(const struct plan *plan, const struct jobs_wanted *wanted, struct jobs *out);

#endif
