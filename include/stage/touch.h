/* A file's times are set to now, never through a link. The only place that changes times. */
#ifndef STAGE_TOUCH_H
#define STAGE_TOUCH_H

#include "base/attr.h"

/* -1 with errno. */
MUST_USE int touch_file(int dir, const char *name);

#endif
