/* The kind for `flush =`: one server after the other, each by the scheme of its URL. */
#ifndef STAGE_FLUSH_H
#define STAGE_FLUSH_H

#include "stage/stage.h"

extern const struct stage_kind flush_stage;

#endif
