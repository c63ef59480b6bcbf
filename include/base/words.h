/* Words: text split as a shell would, NULL-terminated like argv. */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"

struct words {
    char *const *items;
    size_t count;
};

/* Words between white space; '...' and "..." keep spaces, a backslash keeps the next character
 * outside '...'. Kept in the arena. */
MUST_USE int words_split(const char *text, struct words *out, struct fault *why);

#endif
