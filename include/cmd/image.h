/* Is the image the one that was meant: the release against [freshinit] expect. */
#ifndef CMD_IMAGE_H
#define CMD_IMAGE_H

#include <stddef.h>

#include "plan/plan.h"

enum image { IMAGE_UNSAID, IMAGE_EXPECTED, IMAGE_STALE, IMAGE_UNKNOWN };

/* In `out` what is wrong, and how to mend it; "" where nothing is. */
enum image image_judge(const struct plan *plan, char *out, size_t out_size);

#endif
