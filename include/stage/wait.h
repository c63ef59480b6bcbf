/* The kind for `wait =`: goes on when every service is ready, each asked by a process of its own. */
#ifndef STAGE_WAIT_H
#define STAGE_WAIT_H

#include "stage/stage.h"

extern const struct stage_kind wait_stage;

#endif
