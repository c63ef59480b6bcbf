/*
 * One row for each kind of stage.
 */
#include "stage/kinds.h"

#include "base/attr.h"
#include "stage/files.h"
#include "stage/flush.h"
#include "stage/free.h"
#include "stage/run.h"
#include "stage/wait.h"

static const struct stage_kind *const kinds[] = { &files_clear, &files_empty, &files_touch,
                                                  &flush_stage, &wait_stage,  &free_stage,
                                                  &run_stage };

const struct stage_kind *kinds_find(enum action action)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i]->action == action)
            return kinds[i];
    return NULL;
}
