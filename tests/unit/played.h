/* The policy played by hand: the usual rules, one event after the other. */
#ifndef TESTS_PLAYED_H
#define TESTS_PLAYED_H

#include "init/policy.h"

static const bool played_asked[256] = { [143] = true };
static const bool played_always[256] = { [7] = true };

static inline struct policy_rules usual(void)
{
    return (struct policy_rules){ .has_server = true,
                                  .is_pid1 = true,
                                  .drain_ms = 0,
                                  .stop_timeout_ms = 8000,
                                  .ready_timeout_ms = 30000,
                                  .stale_worker_timeout_ms = 20000,
                                  .success_codes = played_asked,
                                  .always_success = played_always };
}

static inline struct step feed(const struct policy_rules *rules, struct policy *state,
                               enum event_kind kind, int code, int64_t now_ms)
{
    return policy_next(rules, state,
                       &(struct event){
                           .kind = kind, .now_ms = now_ms, .code = code, .signal = 15 });
}

static inline void begin_serving(const struct policy_rules *rules, struct policy *state)
{
    *state = policy_start();
    assert_int_equal(feed(rules, state, EVENT_START, 0, 0).kind, DO_NEXT_STAGE);
    assert_int_equal(feed(rules, state, EVENT_STAGES_DONE, 0, 0).kind, DO_START_SERVER);
}

#endif
