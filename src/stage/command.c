/* Owns a running command: its output and its end. Never waits for a process that it left behind. */
#include "stage/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "proc/group.h"
#include "proc/reap.h"
#include "proc/spawn.h"

enum {
    LINE_SIZE = 1024, /* longer lines come in pieces, each of which the log takes whole */
    READ_SIZE = 4096,
    PIPE_SIZE = 65536,
    GRACE_MS = 200, /* from TERM to KILL at the deadline: PID 1 waits no longer either */
    READER_MS = 500,
    LOOK_MS = 20,   /* between two looks for children that have ended */
    SWEEPS_MAX = 20 /* for those who fork while they die */
};

struct command {
    const struct stage_plan *stage;
    pid_t pid;
    int output; /* -1: its end was read */
    int pidfd;  /* -1: none */
    bool has_ended;
    bool is_unread; /* nobody reads the log */
    int status;
    int64_t lines;
    size_t used;
    char line[LINE_SIZE];
};

/* PID 1 would rather lose a line than wait; here there is time, until nobody is seen to read. */
static void await_reader(struct command *command)
{
    struct pollfd waiter = { .fd = STDERR_FILENO, .events = POLLOUT };

    if (!command->is_unread && poll(&waiter, 1, READER_MS) == 0)
        command->is_unread = true;
}

static void tell_line(struct command *command)
{
    if (command->used > 0 && command->line[command->used - 1] == '\r')
        command->used--;
    command->line[command->used] = '\0';
    command->used = 0;
    command->lines++;
    await_reader(command);
    log_event(LOG_INFO, "stage.output",
              LOG_FIELDS(LOG_TEXT("stage", command->stage->name), LOG_TEXT("line", command->line)),
              "%s: %s", command->stage->name, command->line);
}

static void take_output(struct command *command, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n') {
            tell_line(command);
            continue;
        }
        if (command->used + 1 == sizeof command->line)
            tell_line(command);
        /* Text ends at a zero byte, and a zero byte is no text. */
        command->line[command->used++] = data[i] ? data[i] : '?';
    }
}

/* False when there is nothing more to read, now or ever. */
static bool read_output(struct command *command)
{
    char data[READ_SIZE];
    ssize_t count;

    if (command->output < 0)
        return false;
    do
        count = read(command->output, data, sizeof data);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno == EAGAIN)
        return false;
    if (count <= 0) {
        close(command->output);
        command->output = -1;
        return false;
    }
    take_output(command, data, (size_t)count);
    return true;
}

/* What is in the pipe now is the command's; what it left may hold it, or write, for ever. */
static void read_rest(struct command *command)
{
    for (int i = 0; i < PIPE_SIZE / READ_SIZE && read_output(command); i++)
        continue;
    if (command->used > 0)
        tell_line(command);
}

/* False when no child is left, nor any that a child of ours left behind. */
static bool look_for_end(struct command *command)
{
    struct reap_event event = reap_next();

    while (event.kind == REAP_ENDED || event.kind == REAP_SUSPENDED) {
        if (event.kind == REAP_ENDED && event.pid == command->pid) {
            command->has_ended = true;
            command->status = event.status;
        }
        event = reap_next();
    }
    return event.kind != REAP_NO_CHILD;
}

/* Until the command has ended (0) or the time is over (-1). */
static int attend(struct command *command, int64_t deadline_ms)
{
    while (!command->has_ended) {
        struct pollfd waiters[2] = { { .fd = command->pidfd, .events = POLLIN },
                                     { .fd = command->output, .events = POLLIN } };
        int left = clock_left(deadline_ms);
        if (left == 0)
            return -1;
        /* Orphans come to us without a word. */
        if (left < 0 || left > LOOK_MS)
            left = LOOK_MS;
        if (poll(waiters, COUNT(waiters), left) > 0 && waiters[1].revents)
            read_output(command);
        look_for_end(command);
    }
    return 0;
}

static int end_all(struct command *command, const struct stage_run *run, struct fault *why)
{
    char time[32];

    group_sweep(SIGTERM);
    (void)attend(command, clock_ms() + GRACE_MS);
    for (int tries = 0; tries < SWEEPS_MAX && look_for_end(command); tries++) {
        group_sweep(SIGKILL);
        (void)poll(NULL, 0, LOOK_MS);
    }
    read_rest(command);
    return fault_set(why, "%s: not done after %s, so it was ended", command->stage->subject,
                     text_show_ms(run->stages[0]->timeout_ms, time, sizeof time));
}

static int start(struct command *command, const struct stage_run *run, struct fault *why)
{
    char shell[] = "/bin/sh";
    char option[] = "-c";
    const struct stage_plan *stage = command->stage;
    char *const by_shell[] = { shell, option, (char *)stage->subject, NULL };
    int pipe_ends[2];

    /* What the command leaves behind is found here at the deadline, whatever session it is in. */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 || pipe2(pipe_ends, O_CLOEXEC) < 0)
        return fault_errno(why, "make ready for a command");
    const struct spawn what = {
        .argv = stage->shell ? by_shell : stage->subjects.items,
        .environment = run->plan->environment,
        /* The stage has become its user already; this puts HOME right. */
        .privs = { .user = stage->user.uid != 0 ? &stage->user : NULL },
        .workdir = run->plan->server.workdir,
        .output = pipe_ends[1],
        .has_no_input = true,
        .keeps_group = true,
    };
    int result = spawn_start(&what, &command->pid, why);
    close(pipe_ends[1]);
    if (result < 0 || fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK) < 0) {
        close(pipe_ends[0]);
        return result < 0 ? -1 : fault_errno(why, "set up a pipe");
    }
    command->output = pipe_ends[0];
    command->pidfd = (int)syscall(SYS_pidfd_open, command->pid, 0U);
    return 0;
}

int command_run(const struct stage_run *run, struct command_end *out, struct fault *why)
{
    struct command command = { .stage = run->stages[0], .output = -1, .pidfd = -1 };

    if (start(&command, run, why) < 0)
        return -1;
    int result = attend(&command, run->deadline_ms);
    if (result < 0)
        result = end_all(&command, run, why);
    else
        read_rest(&command);
    if (command.output >= 0)
        close(command.output);
    if (command.pidfd >= 0)
        close(command.pidfd);
    *out = (struct command_end){ .lines = command.lines, .status = command.status };
    return result;
}
