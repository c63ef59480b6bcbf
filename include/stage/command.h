/* One command until its end, its output line by line in the log. */
#ifndef STAGE_COMMAND_H
#define STAGE_COMMAND_H

#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "stage/stage.h"

/* What it printed and how it ended. */
struct command_end {
    int64_t lines;
    int status; /* of wait(2) */
};

/* The command stays in the stage's process group. At the run's deadline it and its descendants are
 * ended, and that is a fault. */
MUST_USE int command_run(const struct stage_run *run, struct command_end *out, struct fault *why);

#endif
