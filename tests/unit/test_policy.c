/*
 * The policy against every sequence of events up to a fixed length, and against the stories that
 * matter one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/clock.h"
#include "init/policy.h"
#include "played.h"

enum { DEPTH = 5, EVENTS = EVENT_DEADLINE + 1 };

static const bool no_codes[256];

/* What has been done so far on one path. */
struct history {
    int ends;
    int servers; /* that were started */
    int stops;
    int tells;
    bool was_stop_asked;
};

static bool has_deadline(const struct policy *state)
{
    switch (state->phase) {
    case PHASE_STAGES:
    case PHASE_ENDED:
        return false;
    case PHASE_SERVING:
        return state->task != TASK_NONE && state->task != TASK_READY_STAGES &&
               state->task != TASK_RELOAD_STAGES;
    case PHASE_DRAINING:
    case PHASE_STOPPING:
    case PHASE_STOP_STAGES:
    case PHASE_LEAVING:
    case PHASE_KILLING:
        break;
    }
    return true;
}

static void check_step(const struct policy_rules *rules, const struct policy *before,
                       const struct policy *after, const struct step *step, struct history *history)
{
    bool starts = step->kind == DO_START_SERVER || step->kind == DO_START_NEW;
    bool has_ended = before->phase != PHASE_ENDED && after->phase == PHASE_ENDED;

    if (before->phase == PHASE_ENDED) {
        assert_int_equal(step->kind, DO_NOTHING);
        assert_int_equal(after->exit_code, before->exit_code);
    }
    history->ends += step->kind == DO_END;
    history->servers += starts;
    history->stops += step->kind == DO_STOP_SERVER;
    history->tells += step->kind == DO_TELL_REST;
    assert_true(history->ends <= 1);
    assert_int_equal(step->kind == DO_END, has_ended);
    if (starts)
        assert_false(history->was_stop_asked);
    if (rules->way == WAY_NONE && !rules->recycles)
        assert_true(history->servers <= 1);
    if (step->kind == DO_KILL_REST)
        assert_true(history->tells > 0);
    if (step->kind == DO_KILL_SERVER)
        assert_true(history->stops > 0);
    if (step->kind == DO_TAKE_OVER || step->kind == DO_ABANDON_NEW)
        assert_int_equal(before->task, TASK_START_NEW);
    if (step->kind == DO_RETIRE_OLD)
        assert_int_equal(before->task, TASK_CALM_OLD);
    assert_int_equal(after->deadline_ms != CLOCK_NEVER, has_deadline(after));
    if (after->task == TASK_NONE && after->phase == PHASE_SERVING)
        assert_false(after->is_reloading);
    if (rules->ends_at_once)
        assert_int_equal(history->tells, 0);
}

static void explore(const struct policy_rules *rules, struct policy state, struct history history,
                    int depth, int64_t now_ms)
{
    for (int kind = 0; kind < EVENTS; kind++) {
        struct policy next = state;
        struct history done = history;
        struct event event = {
            .kind = (enum event_kind)kind, .now_ms = now_ms, .code = 3, .signal = 15
        };
        if (kind == EVENT_DEADLINE && state.deadline_ms == CLOCK_NEVER)
            continue;
        if (kind == EVENT_DEADLINE && state.deadline_ms > now_ms)
            event.now_ms = state.deadline_ms;
        if (kind == EVENT_STOP_SIGNAL)
            done.was_stop_asked = true;
        struct step step = policy_next(rules, &next, &event);
        check_step(rules, &state, &next, &step, &done);
        if (depth > 1)
            explore(rules, next, done, depth - 1, event.now_ms + 1);
    }
}

static void no_sequence_of_events_breaks_a_promise(void **state)
{
    struct policy_rules rules = usual();
    struct history none = { 0 };

    (void)state;
    explore(&rules, policy_start(), none, DEPTH, 1);
    rules.drain_ms = 500;
    rules.has_server = false;
    explore(&rules, policy_start(), none, DEPTH, 1);
    for (int way = WAY_NONE; way <= WAY_HANDOVER; way++) {
        struct policy serving;
        rules = usual();
        rules.way = (enum policy_way)way;
        rules.recycles = way == WAY_RESTART;
        begin_serving(&rules, &serving);
        explore(&rules, serving, none, DEPTH, 1);
    }
    rules = usual();
    rules.ends_at_once = true;
    rules.is_pid1 = false;
    explore(&rules, policy_start(), none, DEPTH, 1);
}

/* A server that never ends and leftovers that never die: the container ends all the same. */
static void a_stop_that_nothing_obeys_comes_to_an_end(void **unused)
{
    struct policy_rules rules = usual();
    struct policy state;
    int steps = 0;

    (void)unused;
    begin_serving(&rules, &state);
    assert_int_equal(feed(&rules, &state, EVENT_STOP_SIGNAL, 0, 1000).kind, DO_STOP_SERVER);
    assert_int_equal(state.deadline_ms, 9000);
    assert_int_equal(feed(&rules, &state, EVENT_DEADLINE, 0, 9000).kind, DO_KILL_SERVER);
    assert_int_equal(feed(&rules, &state, EVENT_DEADLINE, 0, 10000).kind, DO_TELL_REST);
    assert_int_equal(state.deadline_ms, 11000);
    while (state.phase != PHASE_ENDED && steps++ < 100)
        feed(&rules, &state, EVENT_DEADLINE, 0, state.deadline_ms);
    assert_int_equal(state.phase, PHASE_ENDED);
    assert_int_equal(state.exit_code, 137);
}

static void statuses_are_passed_on_exactly(void **unused)
{
    static const struct {
        bool is_stop_asked;
        int code;
        int wanted;
    } rows[] = { { false, 0, 0 },    { false, 3, 3 }, { false, 143, 143 }, { true, 143, 0 },
                 { true, 137, 137 }, { false, 7, 0 }, { true, 7, 0 },      { true, 0, 0 } };
    struct policy_rules rules = usual();

    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct policy state;
        begin_serving(&rules, &state);
        if (rows[i].is_stop_asked)
            feed(&rules, &state, EVENT_STOP_SIGNAL, 0, 1000);
        assert_int_equal(feed(&rules, &state, EVENT_SERVER_ENDED, rows[i].code, 1100).kind,
                         DO_NEXT_STAGE);
        assert_int_equal(feed(&rules, &state, EVENT_STAGES_DONE, 0, 1100).kind, DO_TELL_REST);
        assert_int_equal(feed(&rules, &state, EVENT_ALONE, 0, 1101).kind, DO_END);
        assert_int_equal(state.exit_code, rows[i].wanted);
    }
}

static void a_second_stop_ends_the_drain(void **unused)
{
    struct policy_rules rules = usual();
    struct policy state;

    (void)unused;
    rules.drain_ms = 5000;
    begin_serving(&rules, &state);
    assert_int_equal(feed(&rules, &state, EVENT_STOP_SIGNAL, 0, 0).kind, DO_DRAIN);
    assert_int_equal(feed(&rules, &state, EVENT_SIGNAL, 0, 10).kind, DO_FORWARD);
    assert_int_equal(feed(&rules, &state, EVENT_STOP_SIGNAL, 0, 20).kind, DO_STOP_SERVER);
    assert_int_equal(state.deadline_ms, 8000);
}

static void a_stop_during_a_stage_starts_no_server(void **unused)
{
    struct policy_rules rules = usual();
    struct policy state = policy_start();

    (void)unused;
    rules.success_codes = no_codes;
    feed(&rules, &state, EVENT_START, 0, 0);
    assert_int_equal(feed(&rules, &state, EVENT_STOP_SIGNAL, 0, 5).kind, DO_TELL_REST);
    assert_int_equal(feed(&rules, &state, EVENT_STAGE_ENDED, 0, 6).kind, DO_NOTHING);
    assert_int_equal(feed(&rules, &state, EVENT_ALONE, 0, 7).kind, DO_END);
    assert_int_equal(state.exit_code, 143);
}

static void what_counts_as_success_does_so_during_a_stage_too(void **unused)
{
    struct policy_rules rules = usual();
    struct policy state = policy_start();

    (void)unused;
    feed(&rules, &state, EVENT_START, 0, 0);
    feed(&rules, &state, EVENT_STOP_SIGNAL, 0, 5);
    assert_int_equal(state.exit_code, 0);
}

static void strangers_are_waited_for_a_second_only(void **unused)
{
    struct policy_rules rules = usual();
    struct policy state;

    (void)unused;
    begin_serving(&rules, &state);
    feed(&rules, &state, EVENT_SERVER_ENDED, 0, 0);
    feed(&rules, &state, EVENT_STAGES_DONE, 0, 0);
    feed(&rules, &state, EVENT_STRANGERS_LEFT, 0, 10);
    assert_int_equal(state.deadline_ms, 1010);
    feed(&rules, &state, EVENT_STRANGERS_LEFT, 0, 500);
    assert_int_equal(state.deadline_ms, 1010);
    assert_int_equal(feed(&rules, &state, EVENT_DEADLINE, 0, 1010).kind, DO_KILL_REST);
    feed(&rules, &state, EVENT_STRANGERS_LEFT, 0, 1020);
    assert_int_equal(feed(&rules, &state, EVENT_DEADLINE, 0, state.deadline_ms).kind, DO_END);
}

static void tini_forwards_and_leaves(void **unused)
{
    struct policy_rules rules = usual();
    struct policy state;

    (void)unused;
    rules.ends_at_once = true;
    rules.success_codes = no_codes;
    begin_serving(&rules, &state);
    assert_int_equal(feed(&rules, &state, EVENT_STOP_SIGNAL, 0, 1).kind, DO_FORWARD);
    assert_int_equal(feed(&rules, &state, EVENT_SERVER_ENDED, 143, 2).kind, DO_END);
    assert_int_equal(state.exit_code, 143);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_sequence_of_events_breaks_a_promise),
        cmocka_unit_test(a_stop_that_nothing_obeys_comes_to_an_end),
        cmocka_unit_test(statuses_are_passed_on_exactly),
        cmocka_unit_test(a_second_stop_ends_the_drain),
        cmocka_unit_test(a_stop_during_a_stage_starts_no_server),
        cmocka_unit_test(what_counts_as_success_does_so_during_a_stage_too),
        cmocka_unit_test(strangers_are_waited_for_a_second_only),
        cmocka_unit_test(tini_forwards_and_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
