/*
 * Collects children, our own and adopted ones.
 */
#include "proc/reap.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/exitcode.h"

struct reap_event reap_next(void)
{
    int status = 0;
    pid_t pid;

    do
        pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
    while (pid < 0 && errno == EINTR);
    if (pid < 0)
        return (struct reap_event){ .kind = REAP_NO_CHILD };
    if (pid == 0)
        return (struct reap_event){ .kind = REAP_NOTHING };
    return (struct reap_event){ .kind = WIFSTOPPED(status) ? REAP_SUSPENDED : REAP_ENDED,
                                .pid = pid,
                                .status = status };
}

bool reap_has_children(void)
{
    siginfo_t info;

    return waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

bool reap_is_job_stop(int status)
{
    int number = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;

    return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

int reap_code(int status)
{
    return WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

int reap_signal(int status)
{
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
