/* A reload: the server's own one watched until no old worker is left, and how each kind ended. */
#ifndef INIT_RELOAD_H
#define INIT_RELOAD_H

#include <stdbool.h>

#include "init/life.h"

/* Asks the server to reload itself. */
void reload_signal(struct loop *loop);

/* Has it new workers, and none of before the reload? True with a warning where /proc
 * does not tell. */
bool reload_is_fresh(const struct loop *loop);

/* Ends the workers of before the reload that are still there, and names them. */
void reload_kill_stale(const struct loop *loop);

void reload_tell_begin(struct loop *loop);
void reload_tell_done(const struct loop *loop);
void reload_tell_failed(const struct loop *loop);

#endif
