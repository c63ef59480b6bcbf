/* Blocked signals wait to be read, one by one; a child begins without a trace of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/signame.h"
#include "forked.h"
#include "proc/signals.h"

static struct fault why;

/* libc's own call refuses the two that it keeps for itself. */
static void send_self(int number)
{
    syscall(SYS_kill, getpid(), number);
}

static int read_each(void)
{
    struct signals_event event;

    if (signals_block(&why) < 0)
        return 100;
    for (int number = 1; number <= SIGNAME_LAST; number++) {
        if (number == SIGKILL || number == SIGSTOP)
            continue;
        send_self(number);
        if (!signals_next(CLOCK_NEVER, &event) || event.number != number)
            return number;
        if (event.sender != getpid() || event.is_from_kernel)
            return number;
    }
    return signals_next(clock_ms(), &event) ? 101 : 0;
}

static void every_signal_is_read_and_none_acts(void **state)
{
    (void)state;
    assert_int_equal(forked(read_each), 0);
}

static int wait_for_nothing(void)
{
    struct signals_event event;
    int64_t before_ms = clock_ms();

    if (signals_block(&why) < 0 || signals_next(before_ms + 30, &event))
        return 1;
    return clock_ms() - before_ms >= 29 ? 0 : 2;
}

static void a_deadline_ends_the_wait(void **state)
{
    (void)state;
    assert_int_equal(forked(wait_for_nothing), 0);
}

static int end_with_7(void)
{
    return 7;
}

/* As some parents leave it: the kernel would throw the statuses away. */
static int lose_no_status(void)
{
    int status = 0;

    signal(SIGCHLD, SIG_IGN);
    if (signals_block(&why) < 0)
        return 1;
    return waitpid(forked_start(end_with_7), &status, 0) > 0 && WEXITSTATUS(status) == 7 ? 0 : 2;
}

static void an_ignored_sigchld_loses_no_status(void **state)
{
    (void)state;
    assert_int_equal(forked(lose_no_status), 0);
}

static void catch (int number)
{
    (void)number;
}

/* The kernel's own word for it, in hexadecimal. */
static bool is_clean(void)
{
    static const char *const names[] = { "\nSigBlk:\t", "\nSigIgn:\t", "\nSigCgt:\t" };
    char text[4096];

    if (fdio_read_file("/proc/self/status", text, sizeof text) <= 0)
        return false;
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *found = strstr(text, names[i]);
        if (!found || strspn(found + strlen(names[i]), "0") != 16)
            return false;
    }
    return true;
}

static int restore_all(void)
{
    for (int number = 1; number <= SIGNAME_LAST; number++)
        signal(number, number % 2 ? SIG_IGN : catch);
    if (signals_block(&why) < 0 || is_clean())
        return 1;
    signals_restore();
    /* But that one, until its program begins. */
    return signal(SIGPIPE, SIG_DFL) == SIG_IGN && is_clean() ? 0 : 2;
}

static void a_child_begins_with_every_signal_at_its_default(void **state)
{
    (void)state;
    assert_int_equal(forked(restore_all), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_signal_is_read_and_none_acts),
        cmocka_unit_test(a_deadline_ends_the_wait),
        cmocka_unit_test(an_ignored_sigchld_loses_no_status),
        cmocka_unit_test(a_child_begins_with_every_signal_at_its_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
