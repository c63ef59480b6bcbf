/* Marker and lock as files below state_dir, for replicas that share it. */
#ifndef STAGE_ONCE_FILE_H
#define STAGE_ONCE_FILE_H

#include <limits.h>

#include "base/attr.h"
#include "base/fault.h"
#include "plan/plan.h"
#include "stage/once.h"

struct once_file {
    char directory[PATH_MAX - ONCE_KEY_MAX - 16];
    int lock_fd; /* -1: not held */
};

/* Before a stage becomes its user: makes <state_dir>/once and, for a user other than root, the
 * folder of that number in it. Where that can't be done, whoever needs it says so. */
void once_file_prepare(const char *state_dir, const struct identity *user);

/* Finds that folder, and makes <state_dir>/once where it is missing. */
MUST_USE int once_file_open(struct once_file *file, const char *state_dir,
                            const struct identity *user, struct fault *why);

/* -1, and why: nothing can be kept there. */
MUST_USE int once_file_check(const struct once_file *file, struct fault *why);

struct once_store once_file_store(struct once_file *file);

/* Writes the marker and gives the lock back. */
MUST_USE int once_file_done(struct once_file *file, const struct once_turn *once,
                            struct fault *why);

/* One small text below <state_dir>/once, written whole or not at all. Reading one that is not there
 * gives "". */
MUST_USE int once_file_read(const struct once_file *file, const char *name, char *out,
                            size_t out_size, struct fault *why);
MUST_USE int once_file_write(const struct once_file *file, const char *name, const char *text,
                             struct fault *why);

#endif
