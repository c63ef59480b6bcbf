/* `orphans N [SIZE]` makes N processes whose parent ends before they do, in bursts of SIZE (500),
 * each burst all at once; prints "orphaned N" and waits for TERM, or ends at once with --end. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* All of them wait for the end of the pipe, which comes with their parent's own end. */
static void leave_burst(int size)
{
    int held[2];
    char byte;

    if (pipe(held) < 0)
        _exit(1);
    for (int i = 0; i < size; i++) {
        pid_t pid = fork();
        if (pid < 0)
            _exit(2);
        if (pid == 0) {
            close(held[1]);
            _exit(read(held[0], &byte, 1) == 0 ? 0 : 1);
        }
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    int total = argc > 1 ? atoi(argv[1]) : 1;
    int size = argc > 2 && argv[2][0] != '-' ? atoi(argv[2]) : 500;
    bool ends = strcmp(argv[argc - 1], "--end") == 0;
    sigset_t term;
    int status, got;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    for (int made = 0; made < total; made += size) {
        pid_t pid = fork();
        if (pid == 0)
            leave_burst(total - made < size ? total - made : size);
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
            return 1;
    }
    printf("orphaned %d\n", total);
    fflush(stdout);
    if (!ends)
        sigwait(&term, &got);
    return 0;
}
