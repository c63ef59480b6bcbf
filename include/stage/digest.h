/* One number for all files below some roots: their paths, modes and contents. */
#ifndef STAGE_DIGEST_H
#define STAGE_DIGEST_H

#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/words.h"

struct digest {
    uint64_t sum[2];
    int64_t files;
};

/* Adds all that lies below `root`, or the file that it is, except for names in `exclude`. A root
 * that is missing counts as such. Order plays no part. */
MUST_USE int digest_add(struct digest *digest, const char *root, const struct words *exclude,
                        struct fault *why);

/* Adds a text. */
void digest_text(struct digest *digest, const char *text);

#endif
