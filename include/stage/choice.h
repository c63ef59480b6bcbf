/* What one clear, empty or touch stage chooses: its words as patterns, and the named sets. */
#ifndef STAGE_CHOICE_H
#define STAGE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"
#include "plan/plan.h"
#include "stage/pattern.h"

enum { CHOICE_WORDS_MAX = 64, CHOICE_POOL_SIZE = 1024 };

struct choice {
    const struct stage_plan *stage;
    const struct pattern *patterns;
    size_t pattern_count;
    const struct pattern *excludes;
    size_t exclude_count;
    bool has_bytecode;
    bool has_jinja;
};

/* Where the patterns of all stages of a walk lie. */
struct choice_pool {
    size_t used;
    struct pattern items[CHOICE_POOL_SIZE];
};

/* Every fault of the words is told; nothing is read but the stage. */
MUST_USE int choice_check(const struct stage_plan *stage, struct fault *why);

/* The same, and what the words mean. */
MUST_USE int choice_read(const struct stage_plan *stage, struct choice_pool *pool,
                         struct choice *out, struct fault *why);

/* `path` is that of the folder, relative to the root. */
bool choice_matches(const struct choice *choice, enum pattern_of of, const char *name,
                    size_t length, const char *path);
bool choice_excludes(const struct choice *choice, enum pattern_of of, const char *name,
                     size_t length, const char *path);

#endif
