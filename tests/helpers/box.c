/*
 * Runs one command in a PID and mount namespace of its own, as PID 1 or as a child of a small PID
 * 1, after making the world as bad as asked. Tells what becomes of it, one line each, on --tell FD:
 * "pid N", "stopped", "continued", "adopted N", "left PID STATE NAME", "status WAITSTATUS".
 * Ends with everything inside when its own parent ends. Never touches a process outside.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIST_MAX = 80 };

struct pair {
    const char *first;
    const char *second;
};

struct options {
    int tell;
    bool is_child, has_neighbour, is_userns, is_readonly, drops_caps, no_new_privs, blocks_all;
    bool is_ctty, bounds_caps;
    const char *proc; /* "own", "none", "hidden", "outer" */
    const char *argv0, *chdir;
    long uid, gid;
    struct pair binds[LIST_MAX], limits[LIST_MAX];
    const char *tmpfs[LIST_MAX];
    int ignored[LIST_MAX], pending[LIST_MAX], closed[LIST_MAX];
    size_t bind_count, limit_count, tmpfs_count, ignored_count, pending_count, closed_count;
    char **command;
};

static void die(const char *what)
{
    fprintf(stderr, "box: %s: %s\n", what, strerror(errno));
    _exit(99);
}

static void tell(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(int fd, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vdprintf(fd, format, args);
    va_end(args);
}

static int number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

static bool read_flag(const char *word, struct options *o)
{
    struct {
        const char *word;
        bool *flag;
    } flags[] = {
        { "--child", &o->is_child },       { "--neighbour", &o->has_neighbour },
        { "--userns", &o->is_userns },     { "--read-only", &o->is_readonly },
        { "--drop-caps", &o->drops_caps }, { "--bound-caps", &o->bounds_caps },
        { "--block", &o->blocks_all },     { "--no-new-privs", &o->no_new_privs },
        { "--ctty", &o->is_ctty },
    };

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(word, flags[i].word) == 0)
            return *flags[i].flag = true;
    return false;
}

/* Returns how many words were used. */
static int read_option(char **words, struct options *o)
{
    const char *word = words[0];
    const char *value = words[1];

    if (read_flag(word, o))
        return 1;
    if (!value) {
        fprintf(stderr, "box: %s needs a value\n", word);
        exit(99);
    }
    if (strcmp(word, "--tell") == 0)
        o->tell = number(value);
    else if (strcmp(word, "--proc") == 0)
        o->proc = value;
    else if (strcmp(word, "--argv0") == 0)
        o->argv0 = value;
    else if (strcmp(word, "--chdir") == 0)
        o->chdir = value;
    else if (strcmp(word, "--uid") == 0)
        o->uid = number(value);
    else if (strcmp(word, "--gid") == 0)
        o->gid = number(value);
    else if (strcmp(word, "--tmpfs") == 0 && o->tmpfs_count < LIST_MAX)
        o->tmpfs[o->tmpfs_count++] = value;
    else if (strcmp(word, "--ignore") == 0 && o->ignored_count < LIST_MAX)
        o->ignored[o->ignored_count++] = number(value);
    else if (strcmp(word, "--pending") == 0 && o->pending_count < LIST_MAX)
        o->pending[o->pending_count++] = number(value);
    else if (strcmp(word, "--close") == 0 && o->closed_count < LIST_MAX)
        o->closed[o->closed_count++] = number(value);
    else if (strcmp(word, "--bind") == 0 && words[2] && o->bind_count < LIST_MAX)
        return o->binds[o->bind_count++] = (struct pair){ value, words[2] }, 3;
    else if (strcmp(word, "--limit") == 0 && words[2] && o->limit_count < LIST_MAX)
        return o->limits[o->limit_count++] = (struct pair){ value, words[2] }, 3;
    else {
        fprintf(stderr, "box: what is %s?\n", word);
        exit(99);
    }
    return 2;
}

static void read_options(char **words, struct options *o)
{
    *o = (struct options){ .tell = 2, .proc = "own", .uid = -1, .gid = -1 };
    while (*words && strcmp(*words, "--") != 0)
        words += read_option(words, o);
    o->command = *words ? words + 1 : words;
    if (!*o->command) {
        fprintf(stderr, "usage: box [OPTIONS] -- COMMAND [ARG...]\n");
        exit(99);
    }
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        die(path);
    close(fd);
}

/* The namespace of users comes first, so that all others belong to it. */
static void become_root_of_a_user_namespace(void)
{
    char map[64];
    uid_t uid = getuid();
    gid_t gid = getgid();

    if (unshare(CLONE_NEWUSER) < 0)
        die("unshare user namespace");
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", uid);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", gid);
    write_file("/proc/self/gid_map", map);
}

static void mount_proc(const char *how)
{
    if (strcmp(how, "outer") == 0)
        return;
    if (strcmp(how, "none") == 0) {
        if (mount("none", "/proc", "tmpfs", MS_RDONLY, "size=4k") < 0)
            die("hide /proc");
        return;
    }
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              strcmp(how, "hidden") == 0 ? "hidepid=2" : NULL) < 0)
        die("mount /proc");
}

static void arrange_mounts(const struct options *o)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        die("private mounts");
    for (size_t i = 0; i < o->bind_count; i++)
        if (mount(o->binds[i].first, o->binds[i].second, NULL, MS_BIND | MS_REC, NULL) < 0)
            die(o->binds[i].second);
    for (size_t i = 0; i < o->tmpfs_count; i++)
        if (mount("none", o->tmpfs[i], "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0)
            die(o->tmpfs[i]);
    mount_proc(o->proc);
    if (o->is_readonly && mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
        die("read-only root");
}

static void set_limit(const struct pair *limit)
{
    const struct {
        const char *name;
        int which;
    } names[] = { { "nproc", RLIMIT_NPROC },
                  { "as", RLIMIT_AS },
                  { "nofile", RLIMIT_NOFILE },
                  { "sigpending", RLIMIT_SIGPENDING } };
    struct rlimit value;

    value.rlim_cur = value.rlim_max = strtoul(limit->second, NULL, 10);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].name, limit->first) == 0 &&
            setrlimit((__rlimit_resource_t)names[i].which, &value) < 0)
            die(limit->first);
}

static void drop_privileges(const struct options *o)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[2] = { 0 };

    if (o->bounds_caps)
        for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
            if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
                die("drop from the bounding set");
    if (o->gid >= 0 && (setgroups(0, NULL) < 0 || setgid((gid_t)o->gid) < 0))
        die("gid");
    if (o->uid >= 0 && setuid((uid_t)o->uid) < 0)
        die("uid");
    if (o->drops_caps && syscall(SYS_capset, &head, none) < 0)
        die("drop capabilities");
    if (o->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        die("no_new_privs");
}

static void take_terminal(void)
{
    if (setsid() < 0 || ioctl(0, TIOCSCTTY, 0) < 0)
        die("controlling terminal");
}

/* Does not return. */
static void become_command(const struct options *o)
{
    sigset_t all, pending;
    char *program = o->command[0];

    drop_privileges(o);
    if (o->chdir && chdir(o->chdir) < 0)
        die(o->chdir);
    for (size_t i = 0; i < o->limit_count; i++)
        set_limit(&o->limits[i]);
    for (size_t i = 0; i < o->ignored_count; i++)
        signal(o->ignored[i], SIG_IGN);
    sigfillset(&all);
    sigprocmask(o->blocks_all ? SIG_SETMASK : SIG_UNBLOCK, &all, NULL);
    sigemptyset(&pending);
    for (size_t i = 0; i < o->pending_count; i++)
        sigaddset(&pending, o->pending[i]);
    sigprocmask(SIG_BLOCK, &pending, NULL);
    for (size_t i = 0; i < o->pending_count; i++)
        kill(getpid(), o->pending[i]);
    for (size_t i = 0; i < o->closed_count; i++)
        close(o->closed[i]);
    if (o->argv0)
        o->command[0] = (char *)(uintptr_t)o->argv0;
    execv(program, o->command);
    die(program);
}

static void tell_left(int fd, pid_t neighbour)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    while (proc && (entry = readdir(proc))) {
        char path[300], name[64] = "?", state = '?';
        int pid = number(entry->d_name);
        if (pid <= 1)
            continue;
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        FILE *stat = fopen(path, "re");
        if (!stat)
            continue;
        if (fscanf(stat, "%*d (%63[^)]) %c", name, &state) != 2)
            state = '?';
        fclose(stat);
        tell(fd, "left %d %c %s\n", pid, state, pid == neighbour ? "neighbour" : name);
    }
    if (proc)
        closedir(proc);
}

static pid_t start_neighbour(void)
{
    pid_t pid = fork();

    if (pid < 0)
        die("fork neighbour");
    if (pid == 0) {
        prctl(PR_SET_NAME, "neighbour");
        for (;;)
            pause();
    }
    return pid;
}

static void tell_change(int fd, int status)
{
    if (WIFSTOPPED(status))
        tell(fd, "stopped %d\n", WSTOPSIG(status));
    else if (WIFCONTINUED(status))
        tell(fd, "continued\n");
    else
        tell(fd, "status %d\n", status);
}

/* The job of the shell that --child plays. */
static pid_t job;

/* USR1: what a shell's fg does. */
static void bring_to_front(int number)
{
    (void)number;
    tcsetpgrp(0, job);
    kill(-job, SIGCONT);
}

/* PID 1 of --child: starts the command, and says what was left when it ended. */
static void be_its_parent(const struct options *o)
{
    pid_t neighbour = o->has_neighbour ? start_neighbour() : 0;
    pid_t pid, subject;
    int status;

    if (o->is_ctty)
        take_terminal();
    signal(SIGTTOU, SIG_IGN);
    subject = fork();
    if (subject < 0)
        die("fork");
    if (subject == 0) {
        setpgid(0, 0);
        if (o->is_ctty)
            tcsetpgrp(0, getpid());
        signal(SIGTTOU, SIG_DFL);
        prctl(PR_SET_PDEATHSIG, 0);
        become_command(o);
    }
    job = subject;
    sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = bring_to_front, .sa_flags = SA_RESTART },
              NULL);
    tell(o->tell, "pid %d\n", subject);
    while ((pid = waitpid(-1, &status, WUNTRACED | WCONTINUED)) > 0) {
        if (pid != subject) {
            tell(o->tell, "adopted %d\n", pid);
            continue;
        }
        if (o->is_ctty && WIFSTOPPED(status))
            tcsetpgrp(0, getpgrp());
        if (!WIFSTOPPED(status) && !WIFCONTINUED(status))
            tell_left(o->tell, neighbour);
        tell_change(o->tell, status);
        if (!WIFSTOPPED(status) && !WIFCONTINUED(status))
            break;
    }
    _exit(0);
}

/* Inside the new namespaces. */
static void live_inside(const struct options *o, int go)
{
    char byte;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (read(go, &byte, 1) != 1)
        _exit(99);
    close(go);
    arrange_mounts(o);
    if (o->is_child)
        be_its_parent(o);
    if (o->is_ctty)
        take_terminal();
    become_command(o);
}

int main(int argc, char **argv)
{
    struct options o;
    int go[2], status;

    (void)argc;
    read_options(argv + 1, &o);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (fcntl(o.tell, F_SETFD, FD_CLOEXEC) < 0 || pipe2(go, O_CLOEXEC) < 0)
        die("tell");
    if (o.is_userns)
        become_root_of_a_user_namespace();
    long pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
    if (pid < 0)
        die("clone");
    if (pid == 0) {
        close(go[1]);
        live_inside(&o, go[0]);
    }
    tell(o.tell, "%s %ld\n", o.is_child ? "init" : "pid", pid);
    if (write(go[1], "", 1) != 1)
        die("go");
    while (waitpid((pid_t)pid, &status, WUNTRACED | WCONTINUED) > 0) {
        if (!o.is_child)
            tell_change(o.tell, status);
        if (!WIFSTOPPED(status) && !WIFCONTINUED(status))
            return 0;
    }
    return 99;
}
