/*
 * Prints "ready PID", then "got N" for each signal N it receives, and ends on TERM.
 *   --end N CODE    end with CODE on signal N instead; 0: on none
 *   --batch N       print "seen TOTAL" after every N signals, instead of each
 *   --group N       N children in the same process group print "member got N"; they end on TERM
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct habit {
    const char *who;
    int end_signal;
    int end_code;
    long batch;
};

static int live(const struct habit *habit)
{
    sigset_t all;
    long total = 0;

    sigfillset(&all);
    sigdelset(&all, SIGCHLD);
    sigdelset(&all, SIGTSTP);
    sigprocmask(SIG_SETMASK, &all, NULL);
    printf("%sready %d\n", habit->who, getpid());
    fflush(stdout);
    for (;;) {
        int number = sigwaitinfo(&all, NULL);
        if (number < 0)
            continue;
        total++;
        if (habit->batch == 0)
            printf("%sgot %d\n", habit->who, number);
        else if (number == habit->end_signal || total % habit->batch == 0)
            printf("%sseen %ld\n", habit->who, total);
        fflush(stdout);
        if (number == habit->end_signal)
            return habit->end_code;
    }
}

int main(int argc, char **argv)
{
    struct habit habit = { "", SIGTERM, 0, 0 };
    int members = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--end") == 0 && i + 2 < argc) {
            habit.end_signal = atoi(argv[++i]);
            habit.end_code = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--batch") == 0 && i + 1 < argc) {
            habit.batch = atol(argv[++i]);
        } else if (strcmp(argv[i], "--group") == 0 && i + 1 < argc) {
            members = atoi(argv[++i]);
        }
    }
    for (int i = 0; i < members; i++)
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            habit = (struct habit){ "member ", SIGTERM, 0, 0 };
            return live(&habit);
        }
    return live(&habit);
}
