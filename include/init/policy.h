/*
 * What happens next: (state, event) -> (state, step). Pure: no system call, no log, no memory but
 * the state, so that every sequence of events can be tested.
 */
#ifndef INIT_POLICY_H
#define INIT_POLICY_H

#include "init/event.h"

struct policy policy_start(void);
struct step policy_next(const struct policy_rules *rules, struct policy *state,
                        const struct event *event);

#endif
