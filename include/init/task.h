/* The part of the policy that is about what goes on beside serving: stages, readiness, reload. */
#ifndef INIT_TASK_H
#define INIT_TASK_H

#include "init/event.h"

/* The server is started, for the first time or again. */
struct step task_start_server(const struct policy_rules *rules, struct policy *state,
                              int64_t now_ms);

struct step task_next(const struct policy_rules *rules, struct policy *state,
                      const struct event *event);

/* The time of the task is over. */
struct step task_late(const struct policy_rules *rules, struct policy *state, int64_t now_ms);

/* Does the server's end lead to another server? False: it is the end of the container. */
bool task_outlives(const struct policy_rules *rules, struct policy *state,
                   const struct event *event, struct step *out);

#endif
