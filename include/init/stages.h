/* The children that are stages: one at a time, each with its time. */
#ifndef INIT_STAGES_H
#define INIT_STAGES_H

#include <stdbool.h>

#include "init/life.h"

/* Starts the next stage of `phase`; where there is none, tells the event. A new phase begins at the
 * first stage. */
bool stages_next(struct loop *loop, enum when phase, struct event *follows);

/* The stage has ended with this wait status. */
struct event stages_ended(struct loop *loop, int status);

/* It outlived its time and did not end by itself. */
void stages_end_late(struct loop *loop);

/* What runs is told to end, and the rest of its phase is not run. */
void stages_abandon(struct loop *loop);

#endif
