/*
 * Keeps the record of what was done and what runs. Written whole, with a number that is odd
 * meanwhile; never read back, never waited for. Without a place for it everything goes on.
 */
#include "init/state.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "proc/procfs.h"

enum { LEISURE_MS = 1000, FOLDER_MODE = 0755, FILE_MODE = 0644 };

_Static_assert(sizeof(struct state_record) <= 16 * 1024, "one write, in a page or a few");

static void keep(char *out, size_t out_size, const char *text)
{
    snprintf(out, out_size, "%s", text ? text : "");
}

void state_begin(struct state *state, const struct plan *plan, bool is_wanted)
{
    state->plan = plan;
    state->is_kept = is_wanted;
    state->is_made = false;
}

/* What does not change. */
static void fill(struct state *state)
{
    const struct plan *plan = state->plan;
    struct state_record *record = &state->record;
    struct procfs_entry self;
    struct stat space;

    *record = (struct state_record){ .magic = STATE_MAGIC,
                                     .version = STATE_VERSION,
                                     .size = sizeof *record,
                                     .pid = (int32_t)getpid(),
                                     .began_ms = clock_ms(),
                                     .began_wall_ms = clock_wall_ms() };
    if (procfs_read(getpid(), &self))
        record->start = self.start;
    if (stat("/proc/self/ns/pid", &space) == 0)
        record->space = space.st_ino;
    if (!getcwd(record->folder, sizeof record->folder))
        record->folder[0] = '\0';
    keep(record->freshinit, sizeof record->freshinit, plan->version);
    keep(record->release, sizeof record->release, plan->release);
    keep(record->config, sizeof record->config, plan->config);
    record->reload = plan->server.reload;
    record->stage_count = plan->has_stages ? (uint32_t)plan->stage_count : 0;
    for (size_t i = 0; i < record->stage_count; i++)
        keep(record->stages[i].name, STATE_NAME_SIZE, plan->stages[i].name);
}

static bool is_ours(const struct stat *st)
{
    return st->st_uid == geteuid() && (st->st_mode & 022) == 0;
}

/* The file in a directory of ours. No link is followed, and no other freshinit's file is taken. */
static int open_in(const char *folder)
{
    struct stat st;
    int fd = -1;

    bool is_made = mkdir(folder, FOLDER_MODE) == 0;
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return -1;
    /* The umask is the user's. */
    bool is_right = !is_made || fchmod(dir, FOLDER_MODE) == 0;
    if (is_right && fstat(dir, &st) == 0 && is_ours(&st))
        fd = openat(dir, STATE_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                    FILE_MODE);
    close(dir);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 && is_ours(&st) &&
        flock(fd, LOCK_EX | LOCK_NB) == 0 && fchmod(fd, FILE_MODE) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void open_file(struct state *state)
{
    const char *folder = state->plan->state_dir;

    state->is_fallback = false;
    keep(state->folder, sizeof state->folder, folder);
    state->fd = folder && folder[0] == '/' ? open_in(state->folder) : -1;
    if (state->fd < 0 && state->record.space != 0) {
        snprintf(state->folder, sizeof state->folder, STATE_FALLBACK,
                 (unsigned long long)state->record.space);
        state->fd = open_in(state->folder);
        state->is_fallback = true;
    }
    if (state->fd < 0)
        log_event(LOG_DEBUG, "state.none", LOG_NONE,
                  "no place for what status, health and verify read: neither state_dir nor "
                  "/dev/shm can be written");
}

/* The record, to be changed; NULL: none is kept. */
static struct state_record *changing(struct state *state)
{
    if (!state->is_kept)
        return NULL;
    if (!state->is_made) {
        state->is_made = true;
        fill(state);
        open_file(state);
        state->is_kept = state->fd >= 0;
        state->is_counted = false;
    }
    state->is_changed = true;
    return &state->record;
}

static void write_record(struct state *state)
{
    struct state_record *record = &state->record;

    /* Nothing to be done about a full file system: the next write may do. */
    record->sequence |= 1;
    bool is_whole = pwrite(state->fd, record, sizeof *record, 0) == (ssize_t)sizeof *record;
    record->sequence++;
    if (is_whole && pwrite(state->fd, &record->sequence, sizeof record->sequence,
                           offsetof(struct state_record, sequence)) > 0)
        state->is_changed = state->is_counted = false;
    state->written_ms = clock_ms();
}

void state_flush(struct state *state)
{
    if (!state->is_kept || !state->is_made)
        return;
    if (state->is_changed || (state->is_counted && clock_ms() - state->written_ms >= LEISURE_MS))
        write_record(state);
}

void state_end(struct state *state, bool is_pid1)
{
    char path[STATE_PATH_SIZE + sizeof STATE_FILE + 1];

    if (!state->is_kept || !state->is_made)
        return;
    /* With PID 1 everybody ends who could read it. */
    if (!is_pid1) {
        state_phase(state, STATE_ENDED);
        write_record(state);
    }
    if (!state->is_fallback)
        return;
    snprintf(path, sizeof path, "%s/" STATE_FILE, state->folder);
    if (unlink(path) == 0 && rmdir(state->folder) < 0)
        state->is_fallback = false;
}

void state_phase(struct state *state, enum state_phase phase)
{
    struct state_record *record;

    if (state->is_made && state->record.phase == phase)
        return;
    record = changing(state);
    if (record)
        record->phase = phase;
}

void state_server(struct state *state, pid_t server, unsigned generation)
{
    struct state_record *record;

    /* The server's own reload makes a new generation of the same process. */
    bool is_same = state->is_made && state->record.server == (int32_t)server;
    if (is_same && (server == 0 || state->record.generation == generation))
        return;
    record = changing(state);
    if (!record)
        return;
    if (server != 0 && !is_same) {
        record->server_began_ms = clock_ms();
        record->ready_ms = 0;
    }
    record->server = (int32_t)server;
    record->generation = generation;
}

void state_other(struct state *state, pid_t other, unsigned generation)
{
    if ((state->is_made ? state->record.other : 0) == (int32_t)other)
        return;
    struct state_record *record = changing(state);
    if (!record)
        return;
    record->other = (int32_t)other;
    record->other_generation = generation;
}

void state_ready(struct state *state)
{
    struct state_record *record = changing(state);

    if (record)
        record->ready_ms = clock_ms();
}

void state_reload_began(struct state *state, uint64_t ticks)
{
    struct state_record *record = changing(state);

    if (!record)
        return;
    if (!record->is_reloading)
        state->ticks_before = record->reload_ticks;
    record->reload_ticks = ticks;
    record->is_reloading = true;
}

void state_reload_ended(struct state *state, bool is_done)
{
    struct state_record *record = changing(state);

    if (!record)
        return;
    if (!is_done)
        record->reload_ticks = state->ticks_before;
    *(is_done ? &record->reloads_done : &record->reloads_failed) += 1;
    record->reload_ms = clock_ms();
    record->is_reloading = false;
}

/* A job's stages among the plan's; how many in `count`. */
static struct state_stage *stages_of(struct state *state, const struct job *job, size_t *count)
{
    struct state_record *record = changing(state);

    *count = 0;
    if (!record || !job->results || job->first_stage + job->stage_count > record->stage_count)
        return NULL;
    *count = job->stage_count;
    return &record->stages[job->first_stage];
}

void state_stages_began(struct state *state, const struct job *job, enum when when)
{
    size_t count;
    struct state_stage *stages = stages_of(state, job, &count);

    for (size_t i = 0; i < count; i++) {
        stages[i].outcome = OUTCOME_RUNNING;
        stages[i].when = when;
        stages[i].began_ms = clock_ms();
        stages[i].took_ms = 0;
        stages[i].result = (struct stage_result){ 0 };
    }
}

void state_stages_ended(struct state *state, const struct job *job, enum state_outcome outcome)
{
    size_t count;
    struct state_stage *stages = stages_of(state, job, &count);

    for (size_t i = 0; i < count; i++) {
        stages[i].outcome = outcome;
        stages[i].took_ms = clock_ms() - stages[i].began_ms;
        stages[i].result = job->results[i];
    }
}

void state_count(struct state *state, enum state_counter counter, size_t more)
{
    bool was_changed = state->is_made && state->is_changed;
    struct state_record *record = changing(state);

    if (!record)
        return;
    record->counts[counter] += more;
    state->is_changed = was_changed;
    state->is_counted = true;
}
