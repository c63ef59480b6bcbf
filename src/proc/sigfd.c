/*
 * Signals are blocked from the first instruction and read one by one. There are no handlers.
 */
#include "proc/sigfd.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int sigfd_open(struct fault *why)
{
    sigset_t all;
    struct sigaction standard = { .sa_handler = SIG_DFL };

    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
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
    struct sigaction standard = { .sa_handler = SIG_DFL };
    sigset_t none;

    for (int number = 1; number <= SIGRTMAX; number++)
        sigaction(number, &standard, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
