/* The kind for `run =`: a command of the user's, its output in the log. */
#ifndef STAGE_RUN_H
#define STAGE_RUN_H

#include "stage/stage.h"

extern const struct stage_kind run_stage;

#endif
