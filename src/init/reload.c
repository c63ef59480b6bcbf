/*
 * Watches the server's own reload: its workers are told apart by their start. Names what it ends.
 */
#include "init/reload.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "proc/group.h"
#include "proc/procfs.h"

void reload_tell_begin(struct loop *loop)
{
    loop->reload_start_ms = clock_ms();
    loop->reload_ticks = 0;
    loop->has_new_workers = false;
    state_reload_began(loop->record, clock_ticks());
    log_event(LOG_INFO, "reload.started", LOG_NONE, "Reloading %s", loop->server_name);
}

void reload_signal(struct loop *loop)
{
    loop->reload_ticks = clock_ticks();
    state_reload_began(loop->record, loop->reload_ticks);
    /* So that no new worker begins in the same tick as an old one, and they can be told apart. */
    clock_rest(2 * 1000 / CLOCK_TICKS);
    group_signal(loop->server.pid, SIGHUP, GROUP_ONE);
    ++loop->generation;
    loop->server.generation = loop->generation;
}

/* Of the server's tree or, when its parent has ended, of its group. */
static bool is_worker(const struct loop *loop, const struct procfs_entry *entry)
{
    if (entry->pid == loop->server.pid || entry->pid == getpid() || entry->state == 'Z')
        return false;
    bool belongs = entry->group == loop->server.group || procfs_belongs(entry, loop->server.pid);
    return belongs && !procfs_is_helper(entry->pid);
}

bool reload_is_fresh(const struct loop *loop)
{
    struct procfs_walk walk;
    struct procfs_entry entry;
    size_t old = 0;
    size_t fresh = 0;

    /* Not mounted, or hidden from us: to wait would be to wait for ever. */
    if (!procfs_read(loop->server.pid, &entry) || !procfs_open(&walk)) {
        log_event(LOG_WARN, "reload.blind", LOG_NONE,
                  "can't read /proc, so it can't be told whether old workers are left");
        return true;
    }
    while (procfs_next(&walk, &entry)) {
        if (!is_worker(loop, &entry))
            continue;
        if (entry.start <= loop->reload_ticks)
            old++;
        else
            fresh++;
    }
    return old == 0 && fresh > 0;
}

void reload_kill_stale(const struct loop *loop)
{
    struct procfs_walk walk;
    struct procfs_entry entry;
    char limit[32];

    text_show_ms(loop->plan->server.stale_worker_timeout_ms, limit, sizeof limit);
    if (!procfs_open(&walk))
        return;
    while (procfs_next(&walk, &entry)) {
        if (!is_worker(loop, &entry) || entry.start > loop->reload_ticks)
            continue;
        log_event(LOG_WARN, "worker.stale", LOG_FIELDS(LOG_NUMBER("pid", entry.pid)),
                  "Killing stale worker %d (%s): from before the reload, and still there after %s "
                  "(stale_worker_timeout)",
                  (int)entry.pid, entry.name, limit);
        state_count(loop->record, COUNT_KILLED, 1);
        group_signal_exact(entry.pid, entry.start, SIGKILL);
    }
}

void reload_tell_done(const struct loop *loop)
{
    int64_t ms = clock_ms() - loop->reload_start_ms;
    char took[32];

    state_reload_ended(loop->record, true);
    log_event(LOG_INFO, "reload.done",
              LOG_FIELDS(LOG_NUMBER("generation", loop->generation), LOG_NUMBER("ms", ms)),
              "Reload done: generation %u, %s", loop->generation,
              text_show_ms(ms, took, sizeof took));
}

static const char *what_serves(const struct loop *loop)
{
    if (loop->server.pid == 0)
        return "no server runs";
    if (loop->other.pid != 0)
        return "the old server could not be ended";
    if (loop->server.start_ms >= loop->reload_start_ms)
        return "the new server runs, but is not ready";
    if (loop->has_new_workers)
        return "the new workers run, but are not ready";
    if (loop->reload_ticks != 0)
        return "the old workers could not be ended";
    return "the old server goes on";
}

void reload_tell_failed(const struct loop *loop)
{
    state_reload_ended(loop->record, false);
    log_event(LOG_ERROR, "reload.failed", LOG_NONE, "Reload failed: %s", what_serves(loop));
}
