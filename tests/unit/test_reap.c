/* Each finished child comes once, and its status is passed on exactly. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "forked.h"
#include "proc/reap.h"

static int end_with_7(void)
{
    return 7;
}

static int stop_itself(void)
{
    /* In an orphaned group the kernel would drop it. */
    setpgid(0, 0);
    raise(SIGTTIN);
    return forked_pause();
}

static void statuses_become_codes(void **state)
{
    static const struct {
        int status;
        int code;
        int number;
        bool is_job_stop;
    } rows[] = { { W_EXITCODE(0, 0), 0, 0, false },
                 { W_EXITCODE(1, 0), 1, 0, false },
                 { W_EXITCODE(255, 0), 255, 0, false },
                 { W_EXITCODE(0, SIGTERM), 143, SIGTERM, false },
                 { W_EXITCODE(0, SIGKILL), 137, SIGKILL, false },
                 /* With a core dump. */
                 { W_EXITCODE(0, SIGSEGV) | 0x80, 139, SIGSEGV, false },
                 { W_EXITCODE(0, 64), 192, 64, false },
                 { W_STOPCODE(SIGTSTP), SIGTSTP, 0, true },
                 { W_STOPCODE(SIGTTIN), SIGTTIN, 0, true },
                 { W_STOPCODE(SIGTTOU), SIGTTOU, 0, true },
                 { W_STOPCODE(SIGSTOP), SIGSTOP, 0, false } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!WIFSTOPPED(rows[i].status))
            assert_int_equal(reap_code(rows[i].status), rows[i].code);
        assert_int_equal(reap_signal(rows[i].status), rows[i].number);
        assert_int_equal(reap_is_job_stop(rows[i].status), rows[i].is_job_stop);
    }
}

static void without_a_child_there_is_nothing_to_wait_for(void **state)
{
    (void)state;
    assert_int_equal(reap_next().kind, REAP_NO_CHILD);
    assert_false(reap_has_children());
}

static void a_child_that_runs_is_not_waited_for(void **state)
{
    pid_t pid = forked_start(forked_pause);

    (void)state;
    assert_int_equal(reap_next().kind, REAP_NOTHING);
    assert_true(reap_has_children());
    kill(pid, SIGTERM);
    forked_await_zombie(pid);
    /* Ended, but not collected. */
    assert_true(reap_has_children());
    struct reap_event event = reap_next();
    assert_int_equal(event.kind, REAP_ENDED);
    assert_int_equal(event.pid, pid);
    assert_int_equal(reap_code(event.status), 143);
    assert_false(reap_has_children());
}

static void each_of_many_comes_once(void **state)
{
    enum { MANY = 50 };
    pid_t pids[MANY];
    int met[MANY] = { 0 };

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        pids[i] = forked_start(end_with_7);
    for (size_t i = 0; i < MANY; i++)
        forked_await_zombie(pids[i]);
    for (size_t i = 0; i < MANY; i++) {
        struct reap_event event = reap_next();
        assert_int_equal(event.kind, REAP_ENDED);
        assert_int_equal(reap_code(event.status), 7);
        for (size_t j = 0; j < MANY; j++)
            met[j] += event.pid == pids[j];
    }
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(met[i], 1);
    assert_int_equal(reap_next().kind, REAP_NO_CHILD);
}

static void a_suspended_child_is_told_and_kept(void **state)
{
    siginfo_t info;
    pid_t pid = forked_start(stop_itself);

    (void)state;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
    struct reap_event event = reap_next();
    assert_int_equal(event.kind, REAP_SUSPENDED);
    assert_int_equal(event.pid, pid);
    assert_true(reap_is_job_stop(event.status));
    assert_int_equal(reap_next().kind, REAP_NOTHING);
    kill(pid, SIGKILL);
    assert_int_equal(WTERMSIG(forked_wait(pid)), SIGKILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_become_codes),
        cmocka_unit_test(without_a_child_there_is_nothing_to_wait_for),
        cmocka_unit_test(a_child_that_runs_is_not_waited_for),
        cmocka_unit_test(each_of_many_comes_once),
        cmocka_unit_test(a_suspended_child_is_told_and_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
