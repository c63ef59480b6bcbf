/* A seal while it is made. */
#ifndef STAGE_SEAL_DRAFT_H
#define STAGE_SEAL_DRAFT_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "stage/roots.h"

struct seal_entry {
    const char *path;
    uint64_t content;
    uint32_t size;
};

struct seal_draft {
    size_t count;
    size_t used;
    struct seal_entry *entries;
    char *text;
};

MUST_USE int seal_draft_open(struct seal_draft *draft, struct fault *why);

MUST_USE int seal_draft_add(struct seal_draft *draft, const struct seal_entry *entry,
                            struct fault *why);

/* The same files in any order give the same bytes. */
MUST_USE int seal_draft_write(struct seal_draft *draft, const char *path, const char *release,
                              const struct roots *roots, struct fault *why);

#endif
