/* ${NAME}, ${NAME:-default} and $$ in values. */
#ifndef PLAN_EXPAND_H
#define PLAN_EXPAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"

/* All values together may not grow beyond it: what they take lies in the arena. */
enum { EXPAND_TOTAL_MAX = 128 * 1024 };

struct expand {
    char *const *environment; /* where names are looked up */
    const char *release;      /* what ${FRESHINIT_RELEASE} is; NULL: the environment's */
    size_t used;              /* bytes so far */
};

/* The text itself where it holds no dollar, else a copy in the arena. A name that is not set and
 * has no default is a fault; set but empty is empty, and takes the default like in a shell. */
MUST_USE int expand_text(struct expand *expand, const char *text, const char **out,
                         struct fault *why);

/* The place of NAME in an environment; that of its end where there is none. */
size_t expand_find(char *const *environment, const char *name, size_t length);

/* The value of NAME in an environment, or NULL. */
const char *expand_lookup(char *const *environment, const char *name, size_t length);

#endif
