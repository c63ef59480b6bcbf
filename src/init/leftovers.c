/*
 * Ends what the server, or a stage, left behind.
 */
#include "init/leftovers.h"

#include <signal.h>

#include "base/log.h"
#include "proc/group.h"
#include "proc/reap.h"

enum { NAMES_MAX = 600 };

bool leftovers_tell(const struct loop *loop)
{
    char names[NAMES_MAX];

    /* The usual case, and the one that must cost nothing. */
    if (!reap_has_children() && (!loop->self->is_pid1 || group_is_alone()))
        return false;
    size_t count = group_name_rest(0, loop->ended_probe, names, sizeof names);

    if (count > 0)
        log_event(LOG_INFO, "leftovers.told", LOG_FIELDS(LOG_NUMBER("count", count)),
                  "Ending %zu process%s %s: %s", count, count == 1 ? "" : "es",
                  loop->stage_pid != 0 ? "of the stage" : "left behind", names);
    group_sweep(SIGTERM);
    return true;
}

void leftovers_kill(const struct loop *loop)
{
    char names[NAMES_MAX];

    if (loop->state.kills == 1) {
        size_t count = group_name_rest(0, loop->ended_probe, names, sizeof names);
        state_count(loop->record, COUNT_KILLED, count);
        if (count > 0)
            log_event(LOG_WARN, "leftovers.killed", LOG_FIELDS(LOG_NUMBER("count", count)),
                      "Killing %zu process%s that did not end when told: %s", count,
                      count == 1 ? "" : "es", names);
    }
    group_sweep(SIGKILL);
}

void leftovers_kill_group(const struct loop *loop, pid_t group)
{
    char names[NAMES_MAX];
    size_t count = group_name_rest(group, 0, names, sizeof names);

    if (count > 0) {
        state_count(loop->record, COUNT_KILLED, count);
        log_event(LOG_WARN, "leftovers.killed", LOG_FIELDS(LOG_NUMBER("count", count)),
                  "Killing %zu process%s that %s (pid %d) left behind: %s", count,
                  count == 1 ? "" : "es", loop->server_name, (int)group, names);
    }
    group_signal(group, SIGKILL, GROUP_ALL);
}

void leftovers_name(const struct loop *loop)
{
    char names[NAMES_MAX];

    if (loop->state.kills > 0 && group_name_rest(0, loop->ended_probe, names, sizeof names) > 0)
        log_event(LOG_ERROR, "leftovers.survived", LOG_NONE, "could not end: %s", names);
}
