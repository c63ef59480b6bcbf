/* Who holds what the server needs, whose it is, and its end where that was asked for. */
#ifndef STAGE_HOLDER_H
#define STAGE_HOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/url.h"
#include "stage/ports.h"
#include "stage/stage.h"

/* One thing to be freed, and what came of it. */
struct holding {
    const struct stage_run *run;
    const struct url *url;
    const char *name;  /* for people: the URL */
    bool did;          /* something was ended or removed */
    char outcome[700]; /* in words */
};

/*
 * 0: all of them are freshinit or, while the server runs (reload, ready), the server: to be left.
 * 1: they were ended, look again. -1: they are named, and what may be done about them.
 * Ours to end, with kill = yes: as PID 1 any process, elsewhere one of the server's user or of
 * ours; never freshinit, nor what started it. TERM first, KILL for what does not go.
 */
MUST_USE int holder_settle(struct holding *holding, const struct ports_sockets *sockets,
                           struct fault *why);

/* Is it freshinit, or a part of this stage? */
bool holder_is_us(pid_t pid);

/* Is it what started freshinit, or what started that? */
bool holder_is_above(pid_t pid);

/* While the server runs: is it a process of freshinit's, so most likely the server's? */
bool holder_is_server(const struct stage_run *run, pid_t pid);

/* "7 (gunicorn app:app), started 3 m ago". Returns `out`. */
const char *holder_show(const struct ports_holder *holder, char *out, size_t out_size);

/* How long ago it began, in whole seconds. */
int64_t holder_age_ms(const struct ports_holder *holder);

#endif
