/* wraps: clock_wall_ms */
/* When a pidfile whose number is in use is stale all the same. */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/clock.h"
#include "stage/stale.h"

int64_t __real_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void);

static int64_t ahead_ms;
static char path[64];
static pid_t other;

/* The process seems to have begun that much later than it did. */
int64_t __wrap_clock_wall_ms(void)
{
    return __real_clock_wall_ms() + ahead_ms;
}

static int start_other(void **state)
{
    int ends[2];
    char done;

    (void)state;
    if (pipe(ends) < 0)
        return -1;
    other = fork();
    if (other == 0) {
        setsid();
        close(ends[0]);
        close(ends[1]);
        for (;;)
            pause();
    }
    close(ends[1]);
    /* Its end of the pipe is closed once it leads its own group. */
    if (read(ends[0], &done, 1) != 0)
        return -1;
    close(ends[0]);
    snprintf(path, sizeof path, "/tmp/freshinit-test-stale.%d", (int)getpid());
    return other < 0 ? -1 : 0;
}

static int end_other(void **state)
{
    (void)state;
    unlink(path);
    kill(other, SIGKILL);
    return waitpid(other, NULL, 0) == other ? 0 : -1;
}

static int judge(char *const *command, struct fault *why)
{
    static struct plan plan;
    static const struct stage_plan stage;
    const struct stage_plan *stages = &stage;
    const struct stage_run run = { .plan = &plan, .stages = &stages, .phase = WHEN_START };
    struct url url = { .scheme = "pidfile" };
    struct holding holding = { .run = &run, .url = &url, .name = "pidfile" };
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fprintf(file, "%d\n", (int)other);
    fclose(file);
    snprintf(url.path, sizeof url.path, "%s", path);
    plan.server.command = (struct words){ .items = command, .count = command[0] ? 1 : 0 };
    fault_clear(why);
    return stale_pidfile(&holding, why);
}

static void a_number_in_use_needs_two_proofs(void **state)
{
    static char another[] = "/opt/other";
    static char same[] = "/somewhere/test_stale";
    char *const of_another[] = { another, NULL };
    char *const of_same[] = { same, NULL };
    char *const of_none[] = { NULL };
    const struct {
        char *const *command;
        int64_t ahead_ms;
        int result;
    } rows[] = {
        { of_another, 0, -1 },
        { of_same, 3600000, -1 },
        { of_none, 3600000, -1 },
        { of_another, 3600000, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault why;
        ahead_ms = rows[i].ahead_ms;
        assert_int_equal(judge(rows[i].command, &why), rows[i].result);
        assert_int_equal(access(path, F_OK), rows[i].result < 0 ? 0 : -1);
        if (rows[i].result < 0)
            assert_non_null(strstr(fault_line(&why, 0), "which lives"));
    }
    assert_int_equal(kill(other, 0), 0);
}

static void a_process_that_proc_hides_lives_all_the_same(void **state)
{
    char *const of_none[] = { NULL };
    struct fault why;

    (void)state;
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
        skip();
    assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    assert_int_equal(mount("none", "/proc", "tmpfs", 0, NULL), 0);
    assert_int_equal(judge(of_none, &why), -1);
    assert_non_null(strstr(fault_line(&why, 0), "lives and may not be looked at"));
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(umount("/proc"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_number_in_use_needs_two_proofs, start_other, end_other),
        cmocka_unit_test_setup_teardown(a_process_that_proc_hides_lives_all_the_same, start_other,
                                        end_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
