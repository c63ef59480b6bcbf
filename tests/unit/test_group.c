/* Signals reach those they are meant for, and nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "forked.h"
#include "proc/group.h"
#include "proc/procfs.h"

/* A child tells the numbers of what it started. */
static int told[2];

static pid_t hear(void)
{
    pid_t pid = 0;

    assert_int_equal(read(told[0], &pid, sizeof pid), sizeof pid);
    return pid;
}

static bool tell(pid_t pid)
{
    return write(told[1], &pid, sizeof pid) == sizeof pid;
}

static int lead_a_group(void)
{
    setpgid(0, 0);
    return tell(forked_start(forked_pause)) ? forked_pause() : 1;
}

/* Its child is nobody's descendant any more when it ends. */
static int leave_a_stranger(void)
{
    return tell(forked_start(forked_pause)) ? 0 : 1;
}

static int stop_itself(void)
{
    raise(SIGSTOP);
    return forked_pause();
}

static int open_told(void **state)
{
    (void)state;
    return pipe(told);
}

static int close_told(void **state)
{
    (void)state;
    close(told[0]);
    close(told[1]);
    return 0;
}

static void a_process_that_is_gone_is_no_error(void **state)
{
    pid_t pid = forked_start(forked_pause);

    (void)state;
    group_signal(pid, SIGTERM, GROUP_ONE);
    assert_int_equal(WTERMSIG(forked_wait(pid)), SIGTERM);
    group_signal(pid, SIGTERM, GROUP_ONE);
    group_signal(pid, SIGTERM, GROUP_ALL);
}

static void a_group_is_signalled_whole(void **state)
{
    pid_t leader = forked_start(lead_a_group);
    pid_t member = hear();

    (void)state;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    group_signal(leader, SIGTERM, GROUP_ALL);
    assert_int_equal(WTERMSIG(forked_wait(leader)), SIGTERM);
    assert_int_equal(WTERMSIG(forked_wait(member)), SIGTERM);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void only_the_very_process_is_signalled(void **state)
{
    struct procfs_entry child;
    pid_t pid = forked_start(forked_pause);

    (void)state;
    assert_true(procfs_read(pid, &child));
    /* Another one that got its number. */
    assert_false(group_signal_exact(pid, child.start + 1, SIGKILL));
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    assert_true(group_signal_exact(pid, child.start, SIGTERM));
    assert_int_equal(WTERMSIG(forked_wait(pid)), SIGTERM);
    assert_false(group_signal_exact(pid, child.start, SIGTERM));
}

static void a_sweep_tells_descendants_and_wakes_them_but_no_neighbour(void **state)
{
    siginfo_t info;

    (void)state;
    /* As PID 1 it has no neighbours. */
    if (getpid() == 1)
        skip();
    pid_t leaver = forked_start(leave_a_stranger);
    pid_t stranger = hear();
    assert_int_equal(forked_wait(leaver), 0);
    pid_t leader = forked_start(lead_a_group);
    pid_t member = hear();
    pid_t stopped = forked_start(stop_itself);
    assert_int_equal(waitid(P_PID, (id_t)stopped, &info, WSTOPPED | WNOWAIT), 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    group_sweep(SIGTERM);
    assert_int_equal(WTERMSIG(forked_wait(leader)), SIGTERM);
    assert_int_equal(WTERMSIG(forked_wait(member)), SIGTERM);
    assert_int_equal(WTERMSIG(forked_wait(stopped)), SIGTERM);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    assert_int_equal(kill(stranger, 0), 0);
    kill(stranger, SIGKILL);
}

static void the_rest_is_named_and_counted(void **state)
{
    enum { MANY = 15 };
    pid_t pids[MANY];
    char text[1000];
    char first[64];
    struct procfs_entry self;

    (void)state;
    if (getpid() == 1)
        skip();
    assert_int_equal(group_name_rest(0, 0, text, sizeof text), 0);
    assert_string_equal(text, "");
    assert_true(procfs_read(getpid(), &self));
    for (size_t i = 0; i < MANY; i++)
        pids[i] = forked_start(forked_pause);
    assert_int_equal(group_name_rest(0, 0, text, sizeof text), MANY);
    snprintf(first, sizeof first, "%d (%s), ", (int)pids[0], self.name);
    assert_non_null(strstr(text, first));
    assert_non_null(strstr(text, ") and 3 more"));
    assert_int_equal(group_name_rest(getpgrp(), 0, text, sizeof text), MANY);
    assert_int_equal(group_name_rest(getpgrp(), pids[0], text, sizeof text), MANY - 1);
    assert_int_equal(group_name_rest(pids[0], 0, text, sizeof text), 0);
    /* Cut, never overrun. */
    assert_int_equal(group_name_rest(0, 0, text, 20), MANY);
    assert_int_equal(strlen(text), 19);
    /* What has ended is not left. */
    for (size_t i = 0; i < MANY; i++) {
        kill(pids[i], SIGKILL);
        forked_await_zombie(pids[i]);
    }
    assert_int_equal(group_name_rest(0, 0, text, sizeof text), 0);
    for (size_t i = 0; i < MANY; i++)
        forked_wait(pids[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_that_is_gone_is_no_error),
        cmocka_unit_test_setup_teardown(a_group_is_signalled_whole, open_told, close_told),
        cmocka_unit_test(only_the_very_process_is_signalled),
        cmocka_unit_test_setup_teardown(a_sweep_tells_descendants_and_wakes_them_but_no_neighbour,
                                        open_told, close_told),
        cmocka_unit_test(the_rest_is_named_and_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
