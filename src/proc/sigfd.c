/*
 * Signals are blocked from the first instruction and read one by one. There are no handlers.
 */
#include "proc/sigfd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/signame.h"

int sigfd_open(struct fault *why)
{
    sigset_t all;
    struct sigaction standard = { .sa_handler = SIG_DFL };

    /* libc keeps a few signals for itself, and leaves them out of what it blocks; to us they are
     * signals like any other. */
    memset(&all, 0xFF, sizeof all);
    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, SIGNAME_LAST / 8) < 0)
        return fault_errno(why, "can't block signals");
    /* Inherited as ignored, it would make the kernel throw exit statuses away. */
    if (sigaction(SIGCHLD, &standard, NULL) < 0)
        return fault_errno(why, "can't reset SIGCHLD");
    int fd = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return fault_errno(why, "can't open a signalfd");
    return fd;
}

bool sigfd_next(int fd, struct sigfd_event *out)
{
    struct signalfd_siginfo info;
    ssize_t count;

    do
        count = read(fd, &info, sizeof info);
    while (count < 0 && errno == EINTR);
    if (count != (ssize_t)sizeof info)
        return false;
    *out = (struct sigfd_event){ .number = (int)info.ssi_signo,
                                 .sender = (pid_t)info.ssi_pid,
                                 .is_from_kernel = info.ssi_code == SI_KERNEL };
    return true;
}

void sigfd_restore(void)
{
    /* As the kernel has it: no handler, no flags, an empty mask. libc's call refuses its own. */
    static const unsigned long standard[4];
    sigset_t none;

    for (int number = 1; number <= SIGNAME_LAST; number++)
        syscall(SYS_rt_sigaction, number, standard, NULL, SIGNAME_LAST / 8);
    sigemptyset(&none);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, SIGNAME_LAST / 8);
}
