/*
 * Follows a gunicorn that replaces itself. Its new master comes to us when the old one has ended.
 */
#include "init/reexec.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "proc/procfs.h"

void reexec_note(struct loop *loop)
{
    if (loop->profile->reexecs)
        loop->usr2_ticks = clock_ticks();
}

static bool has_child(pid_t pid)
{
    struct procfs_walk walk;
    struct procfs_entry entry;
    bool found = false;

    if (!procfs_open(&walk))
        return false;
    while (procfs_next(&walk, &entry))
        found = found || entry.parent == pid;
    return found;
}

/* In a stop the new one is told with all that is left; after a stop for a restart it is of no
 * use. */
static bool is_wanted(const struct policy *state)
{
    return (state->phase == PHASE_SERVING && state->task != TASK_RESTART) ||
           state->phase == PHASE_DRAINING;
}

bool reexec_follow(struct loop *loop)
{
    struct procfs_walk walk;
    struct procfs_entry entry;
    struct procfs_entry next = { .pid = 0 };
    pid_t self = getpid();

    if (loop->usr2_ticks == 0 || !is_wanted(&loop->state) || !procfs_open(&walk))
        return false;
    /* A worker of the old master may be ours now too, but it was not started by an exec. */
    while (procfs_next(&walk, &entry))
        if (entry.parent == self && entry.group == loop->server.group && entry.state != 'Z' &&
            entry.start >= loop->usr2_ticks && entry.has_execed && has_child(entry.pid))
            next = entry;
    if (next.pid == 0)
        return false;
    log_event(LOG_INFO, "server.replaced", LOG_FIELDS(LOG_NUMBER("pid", next.pid)),
              "%s (pid %d) has replaced itself (USR2): going on with pid %d", loop->server_name,
              (int)loop->server.pid, (int)next.pid);
    loop->server = (struct server){ .pid = next.pid,
                                    .group = loop->server.group,
                                    .generation = ++loop->generation,
                                    .start_ms = clock_ms() };
    loop->usr2_ticks = 0;
    return true;
}
