/* What a stage is made of: a kind, and one run of it. No functions. */
#ifndef STAGE_STAGE_H
#define STAGE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "plan/plan.h"

/* One run: the body of one child. Neighbours that share a walk come together. */
struct stage_run {
    const struct plan *plan;
    const struct stage_plan *const *stages;
    size_t count;
    struct stage_result *results; /* one for each of stages */
    enum when phase;
    bool is_dry;         /* say what would be done, do nothing */
    int64_t deadline_ms; /* of clock_ms; PID 1 ends the child soon after it */
};

struct stage_kind {
    enum action action;
    /* Faults that need the kind's own knowledge: URLs, patterns, roots. Called once for each stage
     * while the plan is made; reads nothing but the plan. */
    int (*check)(const struct plan *plan, const struct stage_plan *stage, struct fault *why);
    /* Runs in a child of its own, as the stage's user. Logs its one line of success itself
     * ("stage.done" with the fields stage, seen, done, bytes, ms); on failure returns -1 with the
     * reason, which the caller logs as on_error says. May allocate: the child ends. */
    int (*body)(const struct stage_run *run, struct fault *why);
    bool shares_walk; /* clear, empty, touch */
};

#endif
