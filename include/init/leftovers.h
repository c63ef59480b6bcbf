/* What is left when the server has ended: named, told, killed. */
#ifndef INIT_LEFTOVERS_H
#define INIT_LEFTOVERS_H

#include <stdbool.h>

#include "init/life.h"

/* False: nothing is left. */
bool leftovers_tell(const struct loop *loop);
void leftovers_kill(const struct loop *loop);
/* The same for what is left of one server's group: it is of the same code. */
void leftovers_kill_group(const struct loop *loop, pid_t group);
/* The end: names what could not be ended. */
void leftovers_name(const struct loop *loop);

#endif
