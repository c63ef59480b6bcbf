/* Landlock around a stage: what may be removed, and where. For good, and for all later threads. */
#ifndef STAGE_CONFINE_H
#define STAGE_CONFINE_H

#include <stddef.h>

#include "base/attr.h"

/* From here on this process creates and writes no file, and removes only below the directories.
 * -1 with errno where the kernel has no Landlock or it is forbidden; nothing is changed then. */
MUST_USE int confine_to(const int *fds, size_t count);

#endif
