/* What the policy asks for, done. */
#ifndef INIT_ACT_H
#define INIT_ACT_H

#include <stdbool.h>

#include "init/life.h"

/* True: `follows` is the event that follows at once. */
bool act_perform(struct loop *loop, const struct step *step, struct event *follows);

#endif
