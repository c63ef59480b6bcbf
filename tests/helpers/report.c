/* Prints what a server would find on its first instruction, as one line of JSON, and ends. With
 * --stay it then waits for TERM. Changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static void put_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void put_ids(void)
{
    uid_t r, e, s;
    gid_t rg, eg, sg;
    gid_t groups[64];
    int count = getgroups(64, groups);

    getresuid(&r, &e, &s);
    getresgid(&rg, &eg, &sg);
    printf("\"uids\":[%u,%u,%u],\"gids\":[%u,%u,%u],\"groups\":[", r, e, s, rg, eg, sg);
    for (int i = 0; i < count; i++)
        printf("%s%u", i ? "," : "", groups[i]);
    printf("],");
}

static void put_caps(void)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { 0 };
    unsigned long long bounding = 0, ambient = 0;

    syscall(SYS_capget, &head, data);
    for (int cap = 0; cap < 64; cap++) {
        if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
            bounding |= 1ULL << cap;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1)
            ambient |= 1ULL << cap;
    }
    printf("\"permitted\":%llu,\"effective\":%llu,\"inheritable\":%llu,",
           (unsigned long long)data[1].permitted << 32 | data[0].permitted,
           (unsigned long long)data[1].effective << 32 | data[0].effective,
           (unsigned long long)data[1].inheritable << 32 | data[0].inheritable);
    printf("\"bounding\":%llu,\"ambient\":%llu,", bounding, ambient);
}

static void put_signals(void)
{
    sigset_t blocked;
    const char *comma = "";

    sigprocmask(SIG_SETMASK, NULL, &blocked);
    printf("\"blocked\":[");
    for (int n = 1; n <= 64; n++)
        if (sigismember(&blocked, n) == 1) {
            printf("%s%d", comma, n);
            comma = ",";
        }
    printf("],\"not_default\":[");
    comma = "";
    for (int n = 1; n <= 64; n++) {
        struct sigaction now;
        if (sigaction(n, NULL, &now) == 0 && now.sa_handler != SIG_DFL) {
            printf("%s%d", comma, n);
            comma = ",";
        }
    }
    printf("],");
}

static void put_files(void)
{
    const char *comma = "";

    printf("\"fds\":[");
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0) {
            printf("%s%d", comma, fd);
            comma = ",";
        }
    printf("],\"open\":{");
    comma = "";
    const char *names[] = { "/dev/stdin", "/dev/stdout", "/dev/stderr" };
    for (int i = 0; i < 3; i++) {
        int fd = open(names[i], (i ? O_WRONLY : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        printf("%s\"%s\":\"%s\"", comma, names[i], fd < 0 ? strerror(errno) : "ok");
        comma = ",";
        if (fd >= 0)
            close(fd);
    }
    printf("},");
}

static void put_place(char **argv)
{
    char cwd[4096];
    int death = 0;
    mode_t mask = umask(0);

    umask(mask);
    prctl(PR_GET_PDEATHSIG, &death);
    printf("\"pid\":%d,\"ppid\":%d,\"pgid\":%d,\"sid\":%d,\"foreground\":%d,", getpid(), getppid(),
           getpgrp(), getsid(0), tcgetpgrp(0));
    printf("\"umask\":%u,\"no_new_privs\":%d,\"parent_death\":%d,\"nice\":%d,\"cwd\":", mask,
           prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), death, nice(0));
    put_text(getcwd(cwd, sizeof cwd) ? cwd : strerror(errno));
    printf(",\"argv\":[");
    for (char **arg = argv; *arg; arg++) {
        if (arg != argv)
            putchar(',');
        put_text(*arg);
    }
    printf("],\"env\":{");
    for (char **entry = environ; *entry; entry++) {
        char *equals = strchr(*entry, '=');
        if (entry != environ)
            putchar(',');
        if (equals)
            *equals = '\0';
        put_text(*entry);
        putchar(':');
        put_text(equals ? equals + 1 : "");
    }
    printf("}");
}

int main(int argc, char **argv)
{
    sigset_t term;
    int got;

    printf("{");
    put_signals();
    put_files();
    put_ids();
    put_caps();
    put_place(argv);
    printf("}\n");
    fflush(stdout);
    if (argc < 2 || strcmp(argv[1], "--stay") != 0)
        return 0;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    sigwait(&term, &got);
    return 0;
}
