/* clear, empty and touch: all that neighbours ask for in one walk. */
#ifndef STAGE_FILES_H
#define STAGE_FILES_H

#include "stage/stage.h"

extern const struct stage_kind files_clear;
extern const struct stage_kind files_empty;
extern const struct stage_kind files_touch;

#endif
