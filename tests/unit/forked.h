/* A function in a child of its own, for what would change or end the test itself. */
#ifndef TESTS_FORKED_H
#define TESTS_FORKED_H

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static inline pid_t forked_start(int (*body)(void))
{
    static const int caught[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid != 0)
        return pid;
    /* cmocka would go on with the test here. */
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        signal(caught[i], SIG_DFL);
    _exit(body());
}

/* The status of wait(2). */
static inline int forked_wait(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static inline int forked(int (*body)(void))
{
    return forked_wait(forked_start(body));
}

/* Until a signal ends it. */
static inline int forked_pause(void)
{
    while (pause() < 0)
        continue;
    return 0;
}

/* Waits for the child's end, and leaves it there as a zombie. */
static inline void forked_await_zombie(pid_t pid)
{
    siginfo_t info;

    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

#endif
