/* What a file stage does with each entry of a walk, and what it counts. */
#ifndef STAGE_SWEEP_H
#define STAGE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"
#include "stage/birth.h"
#include "stage/choice.h"
#include "stage/roots.h"
#include "stage/seal.h"
#include "stage/tally.h"
#include "stage/walk.h"

struct sweep {
    struct choice choices[STAGES_MAX];
    size_t count;
    const struct roots *roots;
    uint64_t removers;  /* the stages that remove, not touch */
    const char *prefix; /* PYTHONPYCACHEPREFIX as a root of its own, or NULL */
    struct birth birth;
    const struct seal *seal; /* NULL: there is none to be believed */
    bool is_dry;
    bool shows_progress;
    int64_t deadline_ms;
    int64_t started_ms;
    const char *title; /* of the progress line */
    struct tally tally;
};

/* For walk_run; the context is the sweep. */
extern const struct walk_calls sweep_calls;

#endif
