/* One server's start: its user, its descriptors, its terminal. */
#ifndef INIT_LAUNCH_H
#define INIT_LAUNCH_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/fault.h"
#include "init/life.h"

/* Every server but the first is started with the release of now. */
MUST_USE int launch_server(struct loop *loop, struct server *out, struct fault *why);

/* After the first one: freshinit keeps only what it still needs itself. */
void launch_give_up_privileges(const struct loop *loop);

/* Where INT becomes another signal, Ctrl-C must come to freshinit, not to the server. */
bool launch_keeps_terminal(const struct loop *loop);

/* The one that was started last, or is being started. */
const struct server *launch_last(const struct loop *loop);

#endif
