/* The kind for `free =`: ports, unix sockets and pidfiles that a dead server still holds. */
#ifndef STAGE_FREE_H
#define STAGE_FREE_H

#include "stage/stage.h"

extern const struct stage_kind free_stage;

#endif
