/*
 * Makes children. The only place that forks, execs, and ends a child.
 */
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/exitcode.h"
#include "base/log.h"
#include "plan/env.h"
#include "plan/expand.h"
#include "proc/signals.h"

/* Kubernetes' service links alone can make thousands. */
enum { ENVIRONMENT_MAX = 16384, VARIABLE_MAX = 4200 };

/* A program on a hung mount may take for ever. */
enum { EXEC_WAIT_MS = 5 };

/* What an exec needs, on the child's own stack. */
struct launch {
    char listen_pid[32];
    char notify[64];
    char home[VARIABLE_MAX];
    char *environment[ENVIRONMENT_MAX + 4];
};

static void set_variable(struct launch *launch, const char *name, char *line)
{
    char **slot = launch->environment + expand_find(launch->environment, name, strlen(name));

    if (!*slot)
        slot[1] = NULL;
    *slot = line;
}

/* The environment with what only the child can know. */
static int prepare_environment(const struct spawn *what, struct launch *launch, struct fault *why)
{
    const struct identity *user = what->privs.user;
    const char *listen_pid = env_find(what->environment, "LISTEN_PID");
    size_t count = 0;
    char number[16];

    while (what->environment[count])
        count++;
    if (count > ENVIRONMENT_MAX)
        return fault_set(why, "more than %d environment variables", ENVIRONMENT_MAX);
    memcpy(launch->environment, what->environment, (count + 1) * sizeof *launch->environment);
    snprintf(number, sizeof number, "%d", (int)getppid());
    /* Descriptors that were meant for freshinit are meant for what it starts. */
    if (listen_pid && (strcmp(listen_pid, number) == 0 || strcmp(listen_pid, "self") == 0)) {
        snprintf(launch->listen_pid, sizeof launch->listen_pid, "LISTEN_PID=%d", (int)getpid());
        set_variable(launch, "LISTEN_PID", launch->listen_pid);
    }
    if (what->notify && what->notify[0] != '\0') {
        snprintf(launch->notify, sizeof launch->notify, "NOTIFY_SOCKET=%s", what->notify);
        set_variable(launch, "NOTIFY_SOCKET", launch->notify);
    }
    if (user && user->text && user->home) {
        snprintf(launch->home, sizeof launch->home, "HOME=%s", user->home);
        set_variable(launch, "HOME", launch->home);
    }
    return 0;
}

static int code_for(int error)
{
    return error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/* Why a file that is there could not be started. */
static int explain(const char *path, int error, struct fault *why)
{
    struct stat st;
    bool exists = stat(path, &st) == 0;

    if (exists && S_ISDIR(st.st_mode))
        fault_set(why, "can't start %s: it is a directory", path);
    else if (exists && error == ENOENT)
        fault_set(why,
                  "can't start %s: the interpreter of its first line, or its loader, is missing",
                  path);
    else if (error == ENOEXEC)
        fault_set(why, "can't start %s: no program for this machine, and no #! line", path);
    else if (exists && error == EACCES && !(st.st_mode & 0111))
        fault_set(why, "can't start %s: it is not executable (chmod +x)", path);
    else
        fault_set(why, "can't start %s: %s", path, strerror(error));
    fault_code(why, exists && S_ISDIR(st.st_mode) ? EXIT_NOT_EXECUTABLE : code_for(error));
    return -1;
}

static const char *search_path(char *const *environment)
{
    const char *path = env_find(environment, "PATH");

    return path ? path : "/usr/local/bin:/usr/bin:/bin";
}

/* The next file that could be meant; false when `path` is at its end. Too long ones are passed
 * over. */
static bool next_file(const char **path, const char *name, char out[PATH_MAX])
{
    while (*path) {
        size_t length = strcspn(*path, ":");
        int count =
            snprintf(out, PATH_MAX, "%.*s%s%s", (int)length, *path, length ? "/" : "", name);
        *path = (*path)[length] == '\0' ? NULL : *path + length + 1;
        if (count > 0 && count < PATH_MAX)
            return true;
    }
    return false;
}

bool spawn_finds(const char *name, char *const *environment)
{
    const char *next = search_path(environment);
    char file[PATH_MAX];

    while (next_file(&next, name, file))
        if (access(file, F_OK) == 0)
            return true;
    return false;
}

/* Looks through PATH as execvp does, but without a shell for files that have no #! line. */
static int exec_found(const struct spawn *what, char *const *environment, struct fault *why)
{
    const char *name = what->argv[0];
    const char *path = search_path(environment);
    const char *next = path;
    char found[PATH_MAX];
    char file[PATH_MAX];
    int error = ENOENT;

    found[0] = '\0';
    if (strchr(name, '/') || name[0] == '\0') {
        execve(name, what->argv, environment);
        return explain(name, errno, why);
    }
    while (next_file(&next, name, file)) {
        execve(file, what->argv, environment);
        if (found[0] != '\0')
            continue;
        bool is_missing = errno == ENOENT || errno == ENOTDIR;
        if (!is_missing)
            error = errno;
        if (!is_missing || (errno == ENOENT && access(file, F_OK) == 0))
            memcpy(found, file, sizeof found);
    }
    if (found[0] != '\0')
        return explain(found, error, why);
    fault_set(why, "can't start %s: not found in PATH (%s)", name, path);
    fault_code(why, EXIT_NOT_FOUND);
    return -1;
}

static int close_input(struct fault *why)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
        return fault_errno(why, "can't open /dev/null");
    close(fd);
    return 0;
}

static int redirect_output(int fd, struct fault *why)
{
    if (fd == 0)
        return 0;
    if (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        return fault_errno(why, "can't redirect the output");
    return 0;
}

/* Sockets come in rising order, so none is overwritten before it has moved. */
static int pass_listeners(const struct listeners *listeners, struct fault *why)
{
    if (!listeners || listeners->count == 0)
        return 0;
    log_share();
    for (size_t i = 0; i < listeners->count; i++) {
        int wanted = STDERR_FILENO + 1 + (int)i;
        int result = listeners->fds[i] == wanted ? fcntl(wanted, F_SETFD, 0)
                                                 : dup2(listeners->fds[i], wanted);
        if (result < 0)
            return fault_errno(why, "can't hand on a listening socket");
    }
    return 0;
}

/* The child's own life begins. */
static int prepare_child(const struct spawn *what, struct fault *why)
{
    if (!what->keeps_group && setpgid(0, 0) < 0)
        return fault_errno(why, "can't make a process group");
    /* While signals are blocked still: a background group that asks gets SIGTTOU. */
    if (what->takes_terminal)
        tcsetpgrp(STDIN_FILENO, getpgrp());
    if (what->prepare)
        what->prepare(what->context);
    signals_restore();
    if (what->hands_streams && what->privs.user && what->privs.user->text)
        privs_hand_streams(what->privs.user);
    if (what->has_umask)
        umask(what->umask);
    if (what->has_no_input && close_input(why) < 0)
        return -1;
    if (redirect_output(what->output, why) < 0)
        return -1;
    if (pass_listeners(what->listeners, why) < 0)
        return -1;
    if (privs_drop(&what->privs, why) < 0)
        return -1;
    if (what->workdir && chdir(what->workdir) < 0)
        return fault_errno(why, "can't change to workdir %s", what->workdir);
    return 0;
}

int spawn_become(const struct spawn *what, struct fault *why)
{
    struct launch launch;

    launch.environment[0] = NULL;
    signal(SIGPIPE, SIG_DFL);
    if (prepare_environment(what, &launch, why) < 0)
        return -1;
    return exec_found(what, launch.environment, why);
}

static int run_child(const struct spawn *what)
{
    struct fault why;

    fault_clear(&why);
    if (prepare_child(what, &why) < 0)
        return fault_report(&why);
    if (what->body)
        return what->body(what->context);
    if (spawn_become(what, &why) < 0)
        return fault_report(&why);
    return EXIT_OURS;
}

/* Rests until the child has become its program, whose exec closes the pipe, or for so long. At rest
 * we leave it the processor and its caches: its start takes half the time. */
static void let_it_start(int pipe_end)
{
    struct pollfd end = { .fd = pipe_end };

    poll(&end, 1, EXEC_WAIT_MS);
}

int spawn_start(const struct spawn *what, pid_t *out, struct fault *why)
{
    int ends[2];
    bool has_pipe = what->argv && pipe2(ends, O_CLOEXEC) == 0;
    /* There are no locks, and no handlers, that fork would have to care for. */
    pid_t pid = _Fork();

    if (pid == 0)
        _exit(run_child(what));
    /* Here too, so that a signal to the group finds it whoever is faster. */
    if (pid > 0 && !what->keeps_group)
        setpgid(pid, pid);
    if (has_pipe) {
        close(ends[1]);
        if (pid > 0)
            let_it_start(ends[0]);
        close(ends[0]);
    }
    if (pid < 0)
        return fault_errno(why, "can't start a process (fork)");
    *out = pid;
    return 0;
}
