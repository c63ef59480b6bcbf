/* The FRESHINIT_* variables. */
#ifndef PLAN_ENV_H
#define PLAN_ENV_H

#include <stddef.h>

#include "plan/plan.h"

enum { STRAYS_MAX = 8 };

/* FRESHINIT_ names that are no key: their first few, to be warned of once the log is set up. */
struct strays {
    const char *names[STRAYS_MAX];
    size_t count;
};

/* The value of NAME, or NULL. */
const char *env_find(char *const *environment, const char *name);

/* Puts FRESHINIT_* variables at the places of their keys. Kubernetes' service links are passed over
 * in silence. */
void env_read(struct plan *plan, char *const *environment, struct strays *out);

/* One warning for each, with a "did you mean". */
void env_warn(const struct plan *plan, const struct strays *strays);

/* TINI_SUBREAPER, TINI_KILL_PROCESS_GROUP, TINI_VERBOSITY. */
void env_tini(struct init_plan *init, int *verbosity, char *const *environment);

#endif
