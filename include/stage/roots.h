/* Below which folders a file stage works: the words of `in` and `empty`, checked, made absolute,
 * their globs resolved. Refuses / and what belongs to the system. */
#ifndef STAGE_ROOTS_H
#define STAGE_ROOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"

enum { ROOTS_MAX = 256, ROOTS_TEXT_SIZE = 64 * 1024 };

struct root {
    const char *path; /* absolute, without "." and "..", without a slash at its end */
    uint64_t stages;  /* of the caller: one bit for each stage that works here */
    bool is_prefix;   /* a PYTHONPYCACHEPREFIX */
};

struct roots {
    struct root items[ROOTS_MAX];
    size_t count;
    size_t used;
    char text[ROOTS_TEXT_SIZE];
};

/* What can be said from the word alone. `is_empty`: all of it would be removed. */
MUST_USE int roots_check(const char *word, bool is_empty, struct fault *why);

/* Adds what the word stands for now; how many in `found`, which is 0 for a glob without a match. */
MUST_USE int roots_add(struct roots *roots, const char *word, const struct root *as, bool is_empty,
                       size_t *found, struct fault *why);

/* Is it the path of `name` in that folder? */
bool roots_is_at(const char *path, const char *folder, const char *name);

/* Is one of the roots there? */
bool roots_has(const struct roots *roots, const char *folder, const char *name);

/* Is the open directory one of those that are refused, by whatever name it was reached? */
bool roots_is_system(int fd, bool is_empty);

#endif
