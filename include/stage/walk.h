/*
 * One walk below a root, by one thread or a few: directories are opened once, files are handed to
 * the caller, emptied folders are taken away on the way back. Depth and width cost no more memory
 * than WALK_* say, and a limited number of descriptors.
 */
#ifndef STAGE_WALK_H
#define STAGE_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "stage/visit.h"

struct walk_root {
    int fd;
    const char *path;
    struct walk_place place;
};

/* Walks the roots one after the other; more than one thread is started only once there is work.
 * False when `tick` ended it. */
bool walk_run(const struct walk_root *roots, size_t count, unsigned crew,
              const struct walk_calls *calls, void *context);

#endif
