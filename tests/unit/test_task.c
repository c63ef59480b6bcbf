/* What goes on beside serving: reloads of each way, and a server that recycles itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "init/policy.h"
#include "played.h"

/* A server that serves, and is asked to reload; its reload stages have run. */
static void begin_reload(enum policy_way way, struct policy_rules *rules, struct policy *state)
{
    *rules = usual();
    rules->way = way;
    begin_serving(rules, state);
    assert_int_equal(feed(rules, state, EVENT_READY, 0, 100).kind, DO_TELL_READY);
    assert_int_equal(feed(rules, state, EVENT_STAGES_DONE, 0, 110).kind, DO_NOTHING);
    assert_int_equal(state->task, TASK_NONE);
    assert_int_equal(feed(rules, state, EVENT_RELOAD, 0, 1000).kind, DO_NEXT_STAGE);
}

static void a_handover_stops_the_old_server_only_when_the_new_one_is_ready(void **unused)
{
    struct policy_rules rules;
    struct policy state;

    (void)unused;
    begin_reload(WAY_HANDOVER, &rules, &state);
    assert_int_equal(feed(&rules, &state, EVENT_STAGES_DONE, 0, 1010).kind, DO_START_NEW);
    assert_int_equal(feed(&rules, &state, EVENT_READY, 0, 1500).kind, DO_TAKE_OVER);
    /* It reads what is on its way, and may finish what it was asked before. */
    assert_int_equal(state.deadline_ms, 2000);
    assert_int_equal(feed(&rules, &state, EVENT_DEADLINE, 0, 2000).kind, DO_RETIRE_OLD);
    assert_int_equal(state.deadline_ms, 22000);
    assert_int_equal(feed(&rules, &state, EVENT_OLD_ENDED, 0, 2100).kind, DO_RELOAD_DONE);
    assert_int_equal(feed(&rules, &state, EVENT_STAGES_DONE, 0, 1700).kind, DO_NOTHING);
    assert_int_equal(state.task, TASK_NONE);
}

static void an_old_server_that_hangs_in_the_kernel_is_not_killed_for_ever(void **unused)
{
    struct policy_rules rules;
    struct policy state;

    (void)unused;
    begin_reload(WAY_HANDOVER, &rules, &state);
    feed(&rules, &state, EVENT_STAGES_DONE, 0, 1010);
    feed(&rules, &state, EVENT_READY, 0, 1500);
    assert_int_equal(feed(&rules, &state, EVENT_DEADLINE, 0, 2000).kind, DO_RETIRE_OLD);
    for (int i = 0; i < 5; i++)
        assert_int_equal(feed(&rules, &state, EVENT_DEADLINE, 0, 22000 + i * 1000).kind,
                         DO_KILL_OLD);
    assert_int_equal(feed(&rules, &state, EVENT_DEADLINE, 0, 27000).kind, DO_RELOAD_FAILED);
    assert_int_equal(state.task, TASK_NONE);
}

static void a_new_server_that_fails_leaves_the_old_one_serving(void **unused)
{
    static const struct {
        enum event_kind kind;
        enum step_kind wanted;
    } rows[] = { { EVENT_NEW_ENDED, DO_RELOAD_FAILED },
                 { EVENT_NOT_READY, DO_ABANDON_NEW },
                 { EVENT_DEADLINE, DO_ABANDON_NEW },
                 { EVENT_SPAWN_FAILED, DO_RELOAD_FAILED } };
    struct policy_rules rules;

    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct policy state;
        begin_reload(WAY_HANDOVER, &rules, &state);
        feed(&rules, &state, EVENT_STAGES_DONE, 0, 1010);
        assert_int_equal(feed(&rules, &state, rows[i].kind, 3, 1500).kind, rows[i].wanted);
        assert_int_equal(state.phase, PHASE_SERVING);
        assert_int_equal(feed(&rules, &state, EVENT_TASK_OVER, 0, 1500).kind, DO_NOTHING);
        assert_int_equal(state.task, TASK_NONE);
    }
}

static void a_second_reload_waits_for_the_first(void **unused)
{
    struct policy_rules rules;
    struct policy state;

    (void)unused;
    begin_reload(WAY_HANDOVER, &rules, &state);
    feed(&rules, &state, EVENT_STAGES_DONE, 0, 1010);
    assert_int_equal(feed(&rules, &state, EVENT_RELOAD, 0, 1100).kind, DO_NOTHING);
    assert_int_equal(feed(&rules, &state, EVENT_RELOAD, 0, 1110).kind, DO_NOTHING);
    assert_int_equal(feed(&rules, &state, EVENT_NOT_READY, 0, 1500).kind, DO_ABANDON_NEW);
    assert_int_equal(feed(&rules, &state, EVENT_TASK_OVER, 0, 1500).kind, DO_NEXT_STAGE);
    assert_int_equal(state.task, TASK_RELOAD_STAGES);
    assert_false(state.is_reload_queued);
}

static void a_restart_starts_again_when_the_old_server_has_ended(void **unused)
{
    struct policy_rules rules;
    struct policy state;

    (void)unused;
    begin_reload(WAY_RESTART, &rules, &state);
    assert_int_equal(feed(&rules, &state, EVENT_STAGES_DONE, 0, 1010).kind, DO_STOP_SERVER);
    assert_int_equal(feed(&rules, &state, EVENT_DEADLINE, 0, 9010).kind, DO_KILL_SERVER);
    assert_int_equal(feed(&rules, &state, EVENT_SERVER_ENDED, 137, 9020).kind, DO_START_SERVER);
    assert_int_equal(feed(&rules, &state, EVENT_READY, 0, 9500).kind, DO_RELOAD_DONE);
}

static void old_workers_are_killed_when_their_time_is_over(void **unused)
{
    struct policy_rules rules;
    struct policy state;

    (void)unused;
    begin_reload(WAY_SIGNAL, &rules, &state);
    assert_int_equal(feed(&rules, &state, EVENT_STAGES_DONE, 0, 1010).kind, DO_SIGNAL_RELOAD);
    assert_int_equal(feed(&rules, &state, EVENT_DEADLINE, 0, 21010).kind, DO_KILL_STALE);
    assert_int_equal(feed(&rules, &state, EVENT_WORKERS_FRESH, 0, 21100).kind, DO_RELOAD_DONE);
}

static void new_workers_are_asked_whether_they_are_ready(void **unused)
{
    static const struct {
        enum event_kind kind;
        enum step_kind wanted;
    } rows[] = { { EVENT_READY, DO_RELOAD_DONE },
                 { EVENT_NOT_READY, DO_RELOAD_FAILED },
                 { EVENT_DEADLINE, DO_RELOAD_FAILED } };

    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct policy_rules rules;
        struct policy state;
        begin_reload(WAY_SIGNAL, &rules, &state);
        rules.tells_ready = rules.asks_workers = true;
        feed(&rules, &state, EVENT_STAGES_DONE, 0, 1010);
        assert_int_equal(feed(&rules, &state, EVENT_WORKERS_FRESH, 0, 1100).kind, DO_ASK_READY);
        assert_int_equal(feed(&rules, &state, rows[i].kind, 0, 1200).kind, rows[i].wanted);
        assert_int_equal(state.phase, PHASE_SERVING);
    }
}

static void a_worker_that_no_kill_ends_does_not_hold_up_reloads_for_ever(void **unused)
{
    struct policy_rules rules;
    struct policy state;
    int rounds = 0;

    (void)unused;
    begin_reload(WAY_SIGNAL, &rules, &state);
    feed(&rules, &state, EVENT_STAGES_DONE, 0, 1010);
    feed(&rules, &state, EVENT_RELOAD, 0, 1020);
    while (feed(&rules, &state, EVENT_DEADLINE, 0, state.deadline_ms).kind == DO_KILL_STALE)
        assert_true(++rounds < 100);
    assert_int_equal(feed(&rules, &state, EVENT_TASK_OVER, 0, 90000).kind, DO_NEXT_STAGE);
    assert_int_equal(state.task, TASK_RELOAD_STAGES);
}

static void begin_recycling(struct policy_rules *rules, struct policy *state)
{
    *rules = usual();
    rules->recycles = true;
    begin_serving(rules, state);
}

static void a_server_that_has_done_its_requests_is_started_again(void **unused)
{
    struct policy_rules rules;
    struct policy state;

    (void)unused;
    begin_recycling(&rules, &state);
    feed(&rules, &state, EVENT_READY, 0, 10);
    feed(&rules, &state, EVENT_STAGES_DONE, 0, 10);
    assert_int_equal(feed(&rules, &state, EVENT_SERVER_ENDED, 0, 5000).kind, DO_START_SERVER);
    assert_int_equal(feed(&rules, &state, EVENT_READY, 0, 5001).kind, DO_NOTHING);
    /* Short lives are no end, but without a longer one between them it would go round and round. */
    for (int64_t life = 1; life <= 5; life++)
        assert_int_equal(feed(&rules, &state, EVENT_SERVER_ENDED, 0, 5001 + life).kind,
                         DO_START_SERVER);
    assert_int_equal(feed(&rules, &state, EVENT_SERVER_ENDED, 0, 5007).kind, DO_NEXT_STAGE);
    assert_int_equal(state.phase, PHASE_STOP_STAGES);
}

static void a_process_that_cannot_be_made_is_the_end_only_for_the_server(void **unused)
{
    struct policy_rules rules;
    struct policy state;

    (void)unused;
    begin_recycling(&rules, &state);
    feed(&rules, &state, EVENT_READY, 0, 10);
    assert_int_equal(state.task, TASK_READY_STAGES);
    assert_int_equal(feed(&rules, &state, EVENT_SPAWN_FAILED, 125, 10).kind, DO_NOTHING);
    assert_int_equal(state.phase, PHASE_SERVING);
    assert_int_equal(state.task, TASK_NONE);
    /* A server that has done its requests ends while stages of a reload run. */
    feed(&rules, &state, EVENT_RELOAD, 0, 5000);
    assert_int_equal(feed(&rules, &state, EVENT_SERVER_ENDED, 0, 5010).kind, DO_START_SERVER);
    assert_int_equal(state.task, TASK_RELOAD_STAGES);
    assert_int_equal(feed(&rules, &state, EVENT_NO_SERVER, 125, 5010).kind, DO_TELL_REST);
    assert_int_equal(state.exit_code, 125);
}

static void a_long_life_forgives_short_ones(void **unused)
{
    struct policy_rules rules;
    struct policy state;

    (void)unused;
    begin_recycling(&rules, &state);
    for (int64_t life = 1; life <= 5; life++)
        feed(&rules, &state, EVENT_SERVER_ENDED, 0, life);
    assert_int_equal(feed(&rules, &state, EVENT_SERVER_ENDED, 0, 9000).kind, DO_START_SERVER);
    assert_int_equal(feed(&rules, &state, EVENT_SERVER_ENDED, 0, 9001).kind, DO_START_SERVER);
}

static void the_new_server_goes_on_when_the_old_one_dies_first(void **unused)
{
    struct policy_rules rules;
    struct policy state;

    (void)unused;
    begin_reload(WAY_HANDOVER, &rules, &state);
    feed(&rules, &state, EVENT_STAGES_DONE, 0, 1010);
    assert_int_equal(feed(&rules, &state, EVENT_SERVER_ENDED, 137, 1100).kind, DO_PROMOTE_NEW);
    assert_int_equal(feed(&rules, &state, EVENT_READY, 0, 1200).kind, DO_RELOAD_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handover_stops_the_old_server_only_when_the_new_one_is_ready),
        cmocka_unit_test(an_old_server_that_hangs_in_the_kernel_is_not_killed_for_ever),
        cmocka_unit_test(a_new_server_that_fails_leaves_the_old_one_serving),
        cmocka_unit_test(a_second_reload_waits_for_the_first),
        cmocka_unit_test(a_restart_starts_again_when_the_old_server_has_ended),
        cmocka_unit_test(old_workers_are_killed_when_their_time_is_over),
        cmocka_unit_test(new_workers_are_asked_whether_they_are_ready),
        cmocka_unit_test(a_worker_that_no_kill_ends_does_not_hold_up_reloads_for_ever),
        cmocka_unit_test(a_server_that_has_done_its_requests_is_started_again),
        cmocka_unit_test(a_process_that_cannot_be_made_is_the_end_only_for_the_server),
        cmocka_unit_test(a_long_life_forgives_short_ones),
        cmocka_unit_test(the_new_server_goes_on_when_the_old_one_dies_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
