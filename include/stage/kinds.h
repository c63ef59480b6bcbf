/* The table of stage kinds. */
#ifndef STAGE_KINDS_H
#define STAGE_KINDS_H

#include "stage/stage.h"

/* NULL only for ACTION_NONE. */
const struct stage_kind *kinds_find(enum action action);

#endif
