/* `end exit N` ends with status N, `end signal N` by signal N, `end stop` stops itself. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const struct rlimit no_core = { 0, 0 };
    int number = argc > 2 ? atoi(argv[2]) : 0;

    if (argc > 1 && strcmp(argv[1], "signal") == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        signal(number, SIG_DFL);
        kill(getpid(), number);
        for (;;)
            pause();
    }
    if (argc > 1 && strcmp(argv[1], "stop") == 0)
        raise(SIGSTOP);
    return number;
}
