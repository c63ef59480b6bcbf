/* What a server must be told so that it takes our sockets and keeps its limits: in its own
 * words. */
#ifndef SERVER_ADAPT_H
#define SERVER_ADAPT_H

#include "base/attr.h"
#include "base/fault.h"
#include "base/words.h"
#include "plan/plan.h"
#include "server/profiles.h"

/* Changes the command and the environment of the plan, and notes in it what was added and why. What
 * the user wrote wins; what can't be done for this server is a fault. */
MUST_USE int adapt_plan(struct plan *plan, const struct profile *profile, struct fault *why);

/* Is `name` among the words, alone or as "name=value"? */
bool adapt_has_option(const struct words *words, const char *name);

/* The value of an option, by its name or its letter ("-w"), or NULL. */
const char *adapt_option_value(const struct words *words, const char *name, const char *letter);

/* gunicorn's configuration file as text, "" where there is none. It is read, never run. */
enum { ADAPT_CONFIG_MAX = 64 * 1024 };
void adapt_read_config(const struct plan *plan, char *out, size_t out_size);

/* How many processes of its own serve: --workers, -w or WEB_CONCURRENCY; 1 when nothing says. */
int adapt_workers(const struct plan *plan);

#endif
