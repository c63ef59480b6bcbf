/*
 * Reads the record that PID 1 keeps, and /proc. Believes neither more than it must, changes
 * nothing.
 */
#include "cmd/running.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/load.h"
#include "plan/env.h"
#include "proc/procfs.h"

enum { TRIES_MAX = 1000 };

static uint64_t own_space(void)
{
    struct stat st;

    return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

/* One whole copy: the number is even, and the same before and after. */
static bool copy_record(int fd, struct state_record *out)
{
    struct state_record head;
    const size_t head_size = offsetof(struct state_record, space);

    for (int i = 0; i < TRIES_MAX; i++) {
        if (pread(fd, out, sizeof *out, 0) != (ssize_t)sizeof *out ||
            pread(fd, &head, head_size, 0) != (ssize_t)head_size)
            return false;
        if (out->sequence % 2 == 0 && out->sequence == head.sequence)
            return true;
    }
    return false;
}

static void end_text(char *text, size_t size)
{
    text[size - 1] = '\0';
}

static bool is_known(struct state_record *record)
{
    if (record->magic != STATE_MAGIC || record->version != STATE_VERSION ||
        record->size != sizeof *record || record->stage_count > STAGES_MAX)
        return false;
    end_text(record->freshinit, sizeof record->freshinit);
    end_text(record->release, sizeof record->release);
    end_text(record->config, sizeof record->config);
    end_text(record->folder, sizeof record->folder);
    for (size_t i = 0; i < STAGES_MAX; i++)
        end_text(record->stages[i].name, STATE_NAME_SIZE);
    return true;
}

/* Who wrote it: root, or the user of the process that it tells of. */
static bool is_believed(const struct stat *st, pid_t pid)
{
    char path[32];
    struct stat process;

    if (st->st_uid == 0)
        return true;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    return stat(path, &process) == 0 && process.st_uid == st->st_uid;
}

static int check_record(const char *path, const struct stat *st, struct running *out,
                        struct fault *why)
{
    struct state_record *record = &out->record;
    struct procfs_entry process;

    if (!is_known(record))
        return fault_set(why, "%s: not written by this version of freshinit", path);
    if (record->space != own_space())
        return fault_set(why, "%s: belongs to another container", path);
    if (record->phase == STATE_ENDED || !procfs_read(record->pid, &process) ||
        process.start != record->start)
        return fault_set(why, "%s: belongs to a freshinit that has ended (pid %d)", path,
                         record->pid);
    if (!is_believed(st, record->pid))
        return fault_set(why, "%s: written by user %u, not by the user of freshinit: not believed",
                         path, st->st_uid);
    out->is_ours = st->st_uid == 0 || st->st_uid == geteuid();
    return 0;
}

static int read_record(const char *folder, struct running *out, struct fault *why)
{
    char path[STATE_PATH_SIZE + sizeof STATE_FILE + 1];
    struct stat st;

    snprintf(path, sizeof path, "%s/" STATE_FILE, folder);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(why, "%s", path);
    int result = 0;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !copy_record(fd, &out->record))
        result = fault_set(why, "%s: not the state of a freshinit, or only a part of it", path);
    else
        result = check_record(path, &st, out, why);
    close(fd);
    return result;
}

/* Of two, one below the other, the outer one: it began earlier, but its file may be younger. */
static bool is_outer(const struct state_record *left, const struct state_record *right)
{
    return left->start != right->start ? left->start < right->start : left->pid < right->pid;
}

int running_find(const char *state_dir, struct running *out, struct fault *why)
{
    char fallback[STATE_PATH_SIZE];
    struct running other = { .is_found = false };
    struct fault second;

    fault_clear(&second);
    snprintf(fallback, sizeof fallback, STATE_FALLBACK, (unsigned long long)own_space());
    out->is_found = state_dir && read_record(state_dir, out, why) == 0;
    other.is_found = read_record(fallback, &other, &second) == 0;
    if (other.is_found && (!out->is_found || is_outer(&other.record, &out->record)))
        *out = other;
    if (out->is_found)
        return 0;
    return why->count > 0 ? -1 : fault_set(why, "%s", fault_line(&second, 0));
}

/* The configuration that the running one uses, unless another is named. */
static void follow(const struct running *running, struct call *call, char *const *environment)
{
    const char *named = env_find(environment, "FRESHINIT_CONFIG");

    if (!running->is_ours || running->record.folder[0] == '\0' || chdir(running->record.folder) < 0)
        return;
    if (!call->config && (!named || *named == '\0') && running->record.config[0] != '\0')
        call->config = running->record.config;
}

const struct plan *running_plan(const struct invocation *invocation, struct running *out,
                                struct fault *none, struct fault *why)
{
    const char *state_dir = env_find(invocation->environment, "FRESHINIT_STATE_DIR");
    struct call call = *invocation->call;
    const struct invocation followed = { .call = &call, .environment = invocation->environment };

    fault_clear(none);
    if (running_find(state_dir ? state_dir : "/run/freshinit", out, none) == 0)
        follow(out, &call, invocation->environment);
    const struct plan *plan = load_plan(&followed, why);
    if (!plan || out->is_found)
        return plan;
    fault_clear(none);
    if (running_find(plan->state_dir, out, none) < 0)
        out->is_found = false;
    return plan;
}

static const struct process *find(const struct processes *all, pid_t pid)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].pid == pid)
            return &all->items[i];
    return NULL;
}

/* What it is to freshinit; false: nothing. */
static bool find_role(const struct processes *all, const struct state_record *record,
                      struct process *process)
{
    const struct process *at = process;

    for (size_t steps = 0; at && steps < all->count; steps++) {
        if (at->pid == record->server || (record->other != 0 && at->pid == record->other)) {
            process->is_other = at->pid != record->server;
            process->role = at == process ? ROLE_SERVER : ROLE_WORKER;
            return true;
        }
        if (at->parent == record->pid) {
            process->role = strcmp(at->name, "freshinit") == 0 ? ROLE_OURS : ROLE_ORPHAN;
            return true;
        }
        at = find(all, at->parent);
    }
    return false;
}

static bool is_in_group_of(const struct processes *all, const struct process *process, pid_t leader)
{
    const struct process *server = find(all, leader);

    return server && process->group == server->group;
}

/* May it run old code of the server? A daemon that the server left behind, or someone else, has a
 * group of its own, and PID 1 leaves it alone: no reload ends it. */
static bool is_of_server(const struct processes *all, const struct state_record *record,
                         const struct process *process)
{
    if (process->role == ROLE_WORKER)
        return true;
    return process->role == ROLE_ORPHAN && is_in_group_of(all, process, record->server);
}

/* Before a hand-over the old server serves, and is what it should be. */
static bool runs_old_code(const struct processes *all, const struct state_record *record,
                          const struct process *process)
{
    bool has_old = record->other != 0 && record->other_generation < record->generation;

    if (process->is_other ||
        (process->role == ROLE_ORPHAN && has_old && is_in_group_of(all, process, record->other)))
        return has_old;
    if (record->other != 0 && !has_old)
        return false;
    return record->reload_ticks != 0 && process->start <= record->reload_ticks &&
           is_of_server(all, record, process);
}

static void judge(const struct state_record *record, struct processes *out, struct process *process)
{
    if (process->state == 'Z') {
        out->zombies++;
        return;
    }
    if (process->role == ROLE_WORKER && procfs_is_helper(process->pid))
        process->role = ROLE_HELPER;
    if (process->role == ROLE_ORPHAN)
        out->orphans++;
    if (runs_old_code(out, record, process)) {
        process->is_stale = true;
        out->stale++;
    }
}

bool running_processes(const struct state_record *record, struct processes *out)
{
    struct procfs_walk walk;
    struct procfs_entry entry;
    size_t kept = 0;

    out->count = out->zombies = out->orphans = out->stale = 0;
    out->is_cut = false;
    if (!procfs_open(&walk))
        return false;
    while (procfs_next(&walk, &entry)) {
        if (out->count == PROCESSES_MAX) {
            out->is_cut = true;
            continue;
        }
        struct process *process = &out->items[out->count++];
        *process = (struct process){ .pid = entry.pid,
                                     .parent = entry.parent,
                                     .group = entry.group,
                                     .start = entry.start,
                                     .state = entry.state };
        memcpy(process->name, entry.name, sizeof process->name);
    }
    /* Parents are looked up in the whole list, so what is none of ours goes last. */
    bool is_child[PROCESSES_MAX];
    for (size_t i = 0; i < out->count; i++)
        is_child[i] = find_role(out, record, &out->items[i]);
    for (size_t i = 0; i < out->count; i++)
        if (is_child[i])
            out->items[kept++] = out->items[i];
    out->count = kept;
    for (size_t i = 0; i < out->count; i++)
        judge(record, out, &out->items[i]);
    return true;
}

const char *running_name(const struct process *process, char *out, size_t out_size)
{
    snprintf(out, out_size, "%d (%s)", (int)process->pid, process->name);
    return out;
}

int64_t running_age_ms(const struct process *process)
{
    uint64_t now = clock_ticks();

    return now > process->start ? (int64_t)(now - process->start) * 1000 / CLOCK_TICKS : 0;
}
