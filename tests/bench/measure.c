/*
 * Times commands against each other, interleaved, without an interpreter in the way. Prints one
 * line a sample; the medians are the caller's work.
 *   measure start  ROUNDS plain|pid1 --- COMMAND... --- COMMAND...   "INDEX START_NS EXIT_NS"
 *   measure signal ROUNDS CGROUP_PROCS|- --- COMMAND... --- ...      "INDEX DELAY_NS"
 * Each command ends in tests/bench/stamp. START is from exec to stamp's first instruction, EXIT
 * from its last one to the end of the whole as the parent sees it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMMANDS_MAX = 16 };

struct command {
    char **argv;
    pid_t pid;
    int out;
};

/* Written by the child just before its exec. */
static int64_t *exec_ns;

static void die(const char *what)
{
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t read_stamp(int fd)
{
    int64_t ns;

    if (read(fd, &ns, sizeof ns) != sizeof ns)
        die("no stamp");
    return ns;
}

static void join_cgroup(const char *procs)
{
    int fd = open(procs, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "0", 1) != 1)
        die(procs);
    close(fd);
}

static void start(struct command *command, int is_pid1, const char *cgroup)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe");
    long flags = SIGCHLD | (is_pid1 ? CLONE_NEWPID | CLONE_NEWNS : 0);
    long pid = syscall(SYS_clone, flags, 0, 0, 0, 0);
    if (pid < 0)
        die("clone");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (cgroup)
            join_cgroup(cgroup);
        if (is_pid1 && (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                        mount("proc", "/proc", "proc", 0, NULL) < 0))
            die("mount");
        dup2(ends[1], 1);
        *exec_ns = now_ns();
        execv(command->argv[0], command->argv);
        die(command->argv[0]);
    }
    close(ends[1]);
    command->pid = (pid_t)pid;
    command->out = ends[0];
}

static void finish(struct command *command)
{
    int status;

    if (waitpid(command->pid, &status, 0) != command->pid || status != 0)
        die(command->argv[0]);
    close(command->out);
}

static void measure_start(struct command *commands, int count, int rounds, int is_pid1)
{
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < count; i++) {
            siginfo_t info;
            start(&commands[i], is_pid1, NULL);
            waitid(P_PID, (id_t)commands[i].pid, &info, WEXITED | WNOWAIT);
            int64_t end = now_ns();
            int64_t first = read_stamp(commands[i].out);
            int64_t last = read_stamp(commands[i].out);
            finish(&commands[i]);
            printf("%d %lld %lld\n", i, (long long)(first - *exec_ns), (long long)(end - last));
        }
}

static void measure_signal(struct command *commands, int count, int rounds, const char *cgroup)
{
    const struct timespec rest = { 0, 500000 };

    for (int i = 0; i < count; i++) {
        start(&commands[i], 0, cgroup);
        read_stamp(commands[i].out);
    }
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < count; i++) {
            /* Both ends shall be asleep, as they are in a server's life. */
            ppoll(NULL, 0, &rest, NULL);
            int64_t sent = now_ns();
            kill(commands[i].pid, SIGUSR1);
            printf("%d %lld\n", i, (long long)(read_stamp(commands[i].out) - sent));
        }
    for (int i = 0; i < count; i++) {
        kill(commands[i].pid, SIGTERM);
        finish(&commands[i]);
    }
}

static int split(char **words, struct command *commands)
{
    int count = 0;

    for (; *words; words++) {
        if (strcmp(*words, "---") != 0)
            continue;
        if (count == COMMANDS_MAX)
            die("too many commands");
        *words = NULL;
        commands[count++].argv = words + 1;
    }
    return count;
}

int main(int argc, char **argv)
{
    struct command commands[COMMANDS_MAX];

    if (argc < 6) {
        fprintf(stderr, "usage: measure start|signal ROUNDS HOW --- COMMAND...\n");
        return 2;
    }
    int rounds = (int)strtol(argv[2], NULL, 10);
    int count = split(argv + 4, commands);
    exec_ns = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (exec_ns == MAP_FAILED)
        die("mmap");
    if (strcmp(argv[1], "start") == 0)
        measure_start(commands, count, rounds, strcmp(argv[3], "pid1") == 0);
    else
        measure_signal(commands, count, rounds, strcmp(argv[3], "-") == 0 ? NULL : argv[3]);
    return 0;
}
