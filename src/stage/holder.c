/*
 * Owns the decision who may be ended for a port or a socket. Ends no one whom the kernel does not
 * name as its holder, and never by number alone: the time of its start must agree.
 */
#include "stage/holder.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "proc/group.h"
#include "proc/procfs.h"

enum { GRACE_MS = 5000, AFTER_KILL_MS = 2000, LOOK_MS = 10, NAMED_MAX = 3, SHOWN_SIZE = 200 };

bool holder_is_us(pid_t pid)
{
    struct procfs_entry entry;

    if (pid == getpid() || pid == getppid())
        return true;
    return procfs_read(pid, &entry) && entry.group == getpgrp();
}

bool holder_is_above(pid_t pid)
{
    return procfs_descends(getppid(), pid);
}

bool holder_is_server(const struct stage_run *run, pid_t pid)
{
    if (run->phase != WHEN_RELOAD && run->phase != WHEN_READY)
        return false;
    return procfs_descends(pid, getppid());
}

static bool may_end(const struct stage_run *run, const struct ports_holder *holder)
{
    const struct identity *user = &run->plan->server.user;

    if (holder->pid == 1 || holder_is_above(holder->pid))
        return false;
    if (getppid() == 1 || holder->uid == getuid())
        return true;
    return user->text && holder->uid == user->uid;
}

int64_t holder_age_ms(const struct ports_holder *holder)
{
    int64_t age_s = (int64_t)(clock_ticks() / CLOCK_TICKS) - (int64_t)(holder->start / CLOCK_TICKS);

    return age_s > 0 ? age_s * 1000 : 0;
}

const char *holder_show(const struct ports_holder *holder, char *out, size_t out_size)
{
    char age[32];

    snprintf(out, out_size, "%d (%s), started %s ago", (int)holder->pid, holder->command,
             text_show_ms(holder_age_ms(holder), age, sizeof age));
    return out;
}

/* The first few of them, the oldest first: that is the master. */
static const char *show_all(const struct ports_holders *holders, char *out, size_t out_size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < holders->count && i < NAMED_MAX && used < out_size; i++) {
        char shown[SHOWN_SIZE];
        used += (size_t)snprintf(out + used, out_size - used, "%s%s", i > 0 ? "; " : "",
                                 holder_show(&holders->items[i], shown, sizeof shown));
    }
    if (holders->count > NAMED_MAX && used < out_size)
        snprintf(out + used, out_size - used, "; and %zu more", holders->count - NAMED_MAX);
    return out;
}

static bool is_gone(const struct ports_holder *holder)
{
    struct procfs_entry entry;

    return !procfs_read(holder->pid, &entry) || entry.start != holder->start || entry.state == 'Z';
}

static bool are_gone(const struct ports_holders *holders)
{
    for (size_t i = 0; i < holders->count; i++)
        if (!is_gone(&holders->items[i]))
            return false;
    return true;
}

static bool await_end(const struct ports_holders *holders, int64_t deadline_ms)
{
    while (!are_gone(holders)) {
        if (clock_left(deadline_ms) == 0)
            return false;
        clock_rest(LOOK_MS);
    }
    return true;
}

static void signal_all(const struct ports_holders *holders, int number)
{
    for (size_t i = 0; i < holders->count; i++)
        if (!is_gone(&holders->items[i]))
            group_signal_exact(holders->items[i].pid, holders->items[i].start, number);
}

static int64_t earlier(int64_t left_ms, int64_t right_ms)
{
    return left_ms < right_ms ? left_ms : right_ms;
}

static int end_all(struct holding *holding, const struct ports_holders *holders, struct fault *why)
{
    int64_t now_ms = clock_ms();
    int64_t left_ms = holding->run->deadline_ms - now_ms;
    char shown[SHOWN_SIZE * NAMED_MAX];

    show_all(holders, shown, sizeof shown);
    signal_all(holders, SIGTERM);
    signal_all(holders, SIGCONT);
    /* Half of what is left at most, so that KILL has its time too. */
    bool has_ended = await_end(holders, now_ms + earlier(GRACE_MS, left_ms / 2));
    if (!has_ended) {
        signal_all(holders, SIGKILL);
        if (!await_end(holders, earlier(clock_ms() + AFTER_KILL_MS, holding->run->deadline_ms)))
            return fault_set(why, "%s is held by %s, which not even KILL has ended", holding->name,
                             shown);
    }
    holding->did = true;
    snprintf(holding->outcome, sizeof holding->outcome, "ended %s%s", shown,
             has_ended ? "" : ", by KILL");
    return 1;
}

static int tell_unseen(const struct holding *holding, const struct ports_sockets *sockets,
                       const struct ports_holders *holders, struct fault *why)
{
    if (holders->has_hidden)
        return fault_set(why,
                         "%s is held by a process that we may not look into (its socket is of "
                         "user %u)",
                         holding->name, (unsigned)sockets->items[0].uid);
    return fault_set(why, "%s is held by a process outside this PID namespace", holding->name);
}

int holder_settle(struct holding *holding, const struct ports_sockets *sockets, struct fault *why)
{
    const struct stage_run *run = holding->run;
    struct ports_holders holders;
    char shown[SHOWN_SIZE * NAMED_MAX];
    size_t left_alone = 0;

    ports_holders(sockets, &holders);
    if (holders.count == 0)
        return tell_unseen(holding, sockets, &holders, why);
    show_all(&holders, shown, sizeof shown);
    for (size_t i = 0; i < holders.count; i++)
        left_alone +=
            holder_is_us(holders.items[i].pid) || holder_is_server(run, holders.items[i].pid);
    if (left_alone > 0) {
        snprintf(holding->outcome, sizeof holding->outcome, "left to %s, which is ours", shown);
        return 0;
    }
    if (!run->stages[0]->kill)
        return fault_set(why, "%s is held by %s (kill = yes would end it)", holding->name, shown);
    for (size_t i = 0; i < holders.count; i++)
        if (!may_end(run, &holders.items[i]))
            return fault_set(why, "%s is held by %s of user %u, which is not ours to end",
                             holding->name, shown, (unsigned)holders.items[i].uid);
    if (!run->is_dry)
        return end_all(holding, &holders, why);
    snprintf(holding->outcome, sizeof holding->outcome, "would end %s", shown);
    return 0;
}
