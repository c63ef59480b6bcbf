/* The kind for `wait =`: goes on when every service is ready, each asked by its own process. */
#ifndef STAGE_WAIT_H
#define STAGE_WAIT_H

#include "stage/stage.h"

extern const struct stage_kind wait_stage;

#endif
