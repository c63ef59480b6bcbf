/* Time goes on, and what is left of a deadline is what poll can take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/clock.h"
#include "forked.h"
#include "proc/procfs.h"

static void a_deadline_becomes_what_poll_takes(void **state)
{
    static const struct {
        int64_t from_now_ms;
        int least;
        int most;
    } rows[] = { { 0, 0, 0 },
                 { -5000, 0, 0 },
                 { 60000, 1, 60000 },
                 { 999999999, 900000000, 999999999 },
                 { INT64_C(50000000000), 1000000000, 1000000000 } };

    (void)state;
    assert_int_equal(clock_left(CLOCK_NEVER), -1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int left = clock_left(clock_ms() + rows[i].from_now_ms);
        assert_true(left >= rows[i].least && left <= rows[i].most);
    }
}

static void a_rest_is_no_shorter_than_asked(void **state)
{
    int64_t before_us = clock_us();
    int64_t before_ms = clock_ms();

    (void)state;
    clock_rest(20);
    assert_true(clock_us() - before_us >= 20000);
    assert_true(clock_ms() - before_ms >= 19);
}

static void the_wall_clock_is_everyones(void **state)
{
    int64_t before_s = time(NULL);
    int64_t now_ms = clock_wall_ms();

    (void)state;
    /* time() may lag by a tick of the kernel. */
    assert_true(now_ms >= before_s * 1000 && now_ms <= (time(NULL) + 2) * 1000);
}

static void ticks_are_those_of_a_processes_start(void **state)
{
    uint64_t before = clock_ticks();
    pid_t pid = forked_start(forked_pause);
    uint64_t after = clock_ticks();
    struct procfs_entry child;

    (void)state;
    assert_true(procfs_read(pid, &child));
    kill(pid, SIGKILL);
    forked_wait(pid);
    /* Both are cut to a hundredth. */
    assert_true(child.start + 1 >= before && child.start <= after + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_becomes_what_poll_takes),
        cmocka_unit_test(a_rest_is_no_shorter_than_asked),
        cmocka_unit_test(the_wall_clock_is_everyones),
        cmocka_unit_test(ticks_are_those_of_a_processes_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
