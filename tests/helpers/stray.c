/*
 * Leaves a daemon behind: a process in a session of its own whose parent has ended. It prints
 * "NAME got N" for what it is sent, and ends on TERM. Returns once the daemon is ready.
 *   --name NAME     also its process name ("stray")
 *   --ignore        stays after TERM
 *   --slow          needs 300 ms to end after TERM, then prints "NAME finished 0"
 *   --stopped       is stopped (SIGSTOP) when this returns
 *   --breed         on TERM starts another one in a new session before it ends, --lives times (5)
 *   --hop           starts another one and ends, for ever, about each millisecond
 *   --same-session  only the parent has ended; session and group stay the caller's
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct habit {
    const char *name;
    bool ignores, is_slow, is_stopped, breeds, hops, same_session;
    int lives;
};

static void say(const struct habit *habit, const char *what, int number)
{
    dprintf(1, "%s %s %d\n", habit->name, what, number);
}

/* One more process of the same kind; the caller goes on. */
static bool is_offspring(void)
{
    if (fork() != 0)
        return false;
    setsid();
    return true;
}

static void hop_for_ever(void)
{
    const struct timespec pause = { 0, 1000000 };

    for (;;) {
        nanosleep(&pause, NULL);
        if (fork() > 0)
            _exit(0);
    }
}

static void live(struct habit *habit)
{
    const struct timespec work = { 0, 300000000 };
    sigset_t all;

    sigfillset(&all);
    sigdelset(&all, SIGCHLD);
    for (;;) {
        int number = sigwaitinfo(&all, NULL);
        if (number < 0)
            continue;
        say(habit, "got", number);
        if (number != SIGTERM || habit->ignores)
            continue;
        if (habit->breeds && habit->lives-- > 0 && is_offspring()) {
            say(habit, "born", getpid());
            continue;
        }
        if (habit->is_slow) {
            nanosleep(&work, NULL);
            say(habit, "finished", 0);
        }
        _exit(0);
    }
}

static void read_habit(int argc, char **argv, struct habit *habit)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--name") == 0 && i + 1 < argc)
            habit->name = argv[++i];
        else if (strcmp(argv[i], "--lives") == 0 && i + 1 < argc)
            habit->lives = atoi(argv[++i]);
        habit->ignores |= strcmp(argv[i], "--ignore") == 0;
        habit->is_slow |= strcmp(argv[i], "--slow") == 0;
        habit->is_stopped |= strcmp(argv[i], "--stopped") == 0;
        habit->breeds |= strcmp(argv[i], "--breed") == 0;
        habit->hops |= strcmp(argv[i], "--hop") == 0;
        habit->same_session |= strcmp(argv[i], "--same-session") == 0;
    }
}

static int wait_for_stop(pid_t pid)
{
    int status;

    return waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct habit habit = { .name = "stray", .lives = 5 };
    int ready[2];
    char byte;
    sigset_t all;

    read_habit(argc, argv, &habit);
    if (pipe(ready) < 0)
        return 1;
    pid_t first = fork();
    if (first < 0)
        return 1;
    if (first > 0) {
        /* A stopped child is seen by its parent only, so there this process is the parent. */
        if (habit.is_stopped)
            return wait_for_stop(first);
        close(ready[1]);
        return read(ready[0], &byte, 1) == 1 ? 0 : 1;
    }
    prctl(PR_SET_NAME, habit.name);
    if (!habit.same_session)
        setsid();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    say(&habit, "ready", getpid());
    if (habit.is_stopped)
        raise(SIGSTOP);
    else if (write(ready[1], "", 1) != 1)
        _exit(1);
    close(ready[0]);
    close(ready[1]);
    if (habit.hops)
        hop_for_ever();
    live(&habit);
}
