/* The simple patterns of .gitignore: "*.pyc" a file, "build/" a folder, "a/b/" anywhere below. */
#ifndef STAGE_PATTERN_H
#define STAGE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"

/* What a pattern may stand for. */
enum pattern_of { PATTERN_FILE = 1, PATTERN_FOLDER = 2, PATTERN_EITHER = 3 };

struct pattern {
    const char *text; /* the last component; points into the word it was made from */
    size_t length;
    const char *before; /* what is before it, without the last slash; NULL when there is nothing */
    size_t before_length;
    enum pattern_of of;
    enum { PATTERN_EXACT, PATTERN_SUFFIX, PATTERN_GLOB } how;
};

/* Refuses what has no meaning here: "..", a leading slash, an empty component, "!". A word without
 * a slash at its end is a file, or with `is_exclude` anything. `word` must live on. */
MUST_USE int pattern_read(const char *word, bool is_exclude, struct pattern *out,
                          struct fault *why);

/* Refuses what a stage must not remove: no literal character, or source and data files. */
MUST_USE int pattern_check_clear(const char *word, struct fault *why);

/* Is it the entry `name` of the folder `path`, which is relative to the root ("" is the root)? */
bool pattern_matches(const struct pattern *pattern, enum pattern_of of, const char *name,
                     size_t name_length, const char *path);

bool pattern_has_wildcard(const char *text, size_t length);

/* "*", "?" and "[a-z]" over bytes; a slash is like any other. */
bool pattern_glob(const char *pattern, size_t length, const char *text, size_t text_length);

#endif
