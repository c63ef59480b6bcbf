/* once = change: has anything that the stage reads (`in`) changed since it last went well? */
#ifndef STAGE_CHANGE_H
#define STAGE_CHANGE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/fault.h"
#include "stage/once_file.h"
#include "stage/stage.h"

struct change {
    bool is_kept; /* there is something to write when the stage is done */
    char key[ONCE_KEY_MAX];
    char digest[64];
    struct once_file file;
};

/* 1: due; 0: nothing changed, which it has said. Without a state_dir that can be written it is due
 * each time, which is said too. Always 1 for a stage without once = change. */
MUST_USE int change_look(const struct stage_run *run, const struct stage_plan *stage,
                         struct change *out, struct fault *why);

/* After the stage went well: remembers what it read. */
MUST_USE int change_done(const struct change *change, struct fault *why);

#endif
