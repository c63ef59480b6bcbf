/* What the policy asks for, done. Each returns the event that follows at once, if any. */
#ifndef INIT_ACT_H
#define INIT_ACT_H

#include <stdbool.h>

#include "init/loop.h"

/* False: nothing follows at once. */
bool act_perform(struct loop *loop, const struct step *step, struct event *follows);

/* A stage has ended with this wait status: logs it, and tells the event. */
struct event act_stage_ended(struct loop *loop, int status);

/* The same of the server. */
struct event act_server_ended(struct loop *loop, int status);

/* A stage that outlived its time and did not end by itself. */
void act_end_late_stage(struct loop *loop);

#endif
