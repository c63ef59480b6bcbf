/* gunicorn's USR2: the old master starts a new one, and ends later; then the new one is the
 * server. */
#ifndef INIT_REEXEC_H
#define INIT_REEXEC_H

#include "init/life.h"

/* USR2 is on its way to the server. */
void reexec_note(struct loop *loop);

/* The server has ended: does one that it started in its place live on? Then it is the server
 * now. */
bool reexec_follow(struct loop *loop);

#endif
