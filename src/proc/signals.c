/*
 * Signals are blocked from the first instruction and waited for: no handlers, and no descriptor.
 */
#include "proc/signals.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/signame.h"

/* libc keeps a few signals for itself, and leaves them out of its sets; to us they are signals like
 * any other. So these are the kernel's own calls, with its own size of a set. */
enum { SET_SIZE = SIGNAME_LAST / 8 };
static const unsigned char all_signals[SET_SIZE] = { 255, 255, 255, 255, 255, 255, 255, 255 };

int signals_block(struct fault *why)
{
    struct sigaction standard = { .sa_handler = SIG_DFL };

    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, all_signals, NULL, SET_SIZE) < 0)
        return fault_errno(why, "can't block signals");
    /* Inherited as ignored, it would make the kernel throw exit statuses away. */
    if (sigaction(SIGCHLD, &standard, NULL) < 0)
        return fault_errno(why, "can't reset SIGCHLD");
    return 0;
}

bool signals_next(int64_t deadline_ms, struct signals_event *out)
{
    int64_t left_ms = clock_left(deadline_ms);
    struct timespec left = { .tv_sec = (time_t)(left_ms / 1000),
                             .tv_nsec = (long)(left_ms % 1000) * 1000000 };
    siginfo_t info;
    long number = syscall(SYS_rt_sigtimedwait, all_signals, &info,
                          deadline_ms == CLOCK_NEVER ? NULL : &left, SET_SIZE);

    if (number <= 0)
        return false;
    *out = (struct signals_event){ .number = (int)number,
                                   .sender = info.si_pid,
                                   .is_from_kernel = info.si_code == SI_KERNEL };
    return true;
}

void signals_restore(void)
{
    /* As the kernel has it: no handler, no flags, an empty mask. libc's call refuses its own. */
    static const unsigned long standard[4];
    sigset_t none;

    for (int number = 1; number <= SIGNAME_LAST; number++)
        syscall(SYS_rt_sigaction, number, standard, NULL, SET_SIZE);
    /* This also throws away one that a write to a closed log has left waiting. */
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&none);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, SET_SIZE);
}
