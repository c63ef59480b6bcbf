/* Writes the time of its first instruction to stdout, 8 bytes, rests until whoever started it does
 * so too, writes the time again and ends. With an argument it stays: it writes the time of each
 * USR1, and ends on TERM. */
#include <signal.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

static void stamp(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (write(1, &ns, sizeof ns) != sizeof ns)
        _exit(1);
}

int main(int argc, char **argv)
{
    sigset_t wanted;

    (void)argv;
    if (argc == 1) {
        const struct timespec rest = { 0, 2000000 };
        stamp();
        nanosleep(&rest, NULL);
        stamp();
        _exit(0);
    }
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    sigaddset(&wanted, SIGTERM);
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    stamp();
    while (sigwaitinfo(&wanted, NULL) == SIGUSR1)
        stamp();
    _exit(0);
}
