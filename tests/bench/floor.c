/* The least static C that forwards signals and reaps: what an init cannot be cheaper than. No init
 * for real use: it reports no exec error, waits for nothing and nobody. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    sigset_t all, before;
    int status, number;
    pid_t child, pid;

    (void)argc;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    child = vfork();
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        execv(argv[1], argv + 1);
        _exit(127);
    }
    for (;;) {
        number = sigwaitinfo(&all, NULL);
        if (number > 0 && number != SIGCHLD)
            kill(child, number);
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == child)
                _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
}
