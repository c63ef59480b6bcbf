/*
 * Decides over each entry of a walk for each stage that shares it: leave, touch or remove. Removes
 * only what a stage names; opens nothing but what has to be judged.
 */
#include "stage/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/text.h"
#include "stage/bytecode.h"
#include "stage/mako.h"
#include "stage/touch.h"

enum { NAMED_MAX = 5, PROGRESS_AFTER_MS = 1000, PROGRESS_EVERY_MS = 200 };

static void add(_Atomic int64_t *count, int64_t number)
{
    /* Only one thread writes each, so this need not be one step. */
    int64_t before = atomic_load_explicit(count, memory_order_relaxed);

    atomic_store_explicit(count, before + number, memory_order_relaxed);
}

struct sweep_counts *sweep_of(struct sweep *sweep, int crew, size_t stage)
{
    return &sweep->counts[crew][stage];
}

/* The same member of the same stage is one row of counts further for each thread. */
int64_t sweep_total(const _Atomic int64_t *first)
{
    const char *at = (const char *)first;
    int64_t sum = 0;

    for (int i = 0; i < WALK_CREW_MAX; i++, at += sizeof(struct sweep_counts[STAGES_MAX]))
        sum +=
            atomic_load_explicit((const _Atomic int64_t *)(const void *)at, memory_order_relaxed);
    return sum;
}

/* The path below the root; "" for the root. */
static const char *relative(const struct walk_dir *dir)
{
    const char *path = dir->path + dir->root_length;

    return *path == '/' ? path + 1 : path;
}

static void show_path(const struct walk_dir *dir, const char *name, char *out, size_t size)
{
    char path[2 * SWEEP_PATH_SIZE];

    if (name)
        snprintf(path, sizeof path, "%.700s%s/%.260s", dir->path, dir->is_cut ? "/..." : "", name);
    else
        snprintf(path, sizeof path, "%.960s%s", dir->path, dir->is_cut ? "/..." : "");
    text_escape(path, out, size);
}

/* Keeps errno, which the caller may still need. */
static void note(struct sweep *sweep, const struct walk_dir *dir, size_t stage,
                 const struct sweep_kept *what, const char *name)
{
    size_t same = 0;
    int error = errno;

    add(&sweep_of(sweep, dir->crew, stage)->notes[what->note], 1);
    pthread_mutex_lock(&sweep->lock);
    for (size_t i = 0; i < sweep->kept_count; i++)
        same += sweep->kept[i].stage == stage && sweep->kept[i].note == what->note;
    if (same < NAMED_MAX && sweep->kept_count < SWEEP_KEPT_MAX) {
        struct sweep_kept *kept = &sweep->kept[sweep->kept_count++];
        *kept = *what;
        kept->stage = stage;
        show_path(dir, name, kept->path, sizeof kept->path);
    }
    pthread_mutex_unlock(&sweep->lock);
    errno = error;
}

static void note_problem(struct sweep *sweep, const struct walk_dir *dir, size_t stage,
                         const char *name)
{
    note(sweep, dir, stage, &(struct sweep_kept){ .note = SWEEP_PROBLEM, .error = errno }, name);
}

static void note_kind(struct sweep *sweep, const struct walk_dir *dir, size_t stage,
                      enum sweep_note kind, const char *name)
{
    note(sweep, dir, stage, &(struct sweep_kept){ .note = kind }, name);
}

static void list_flush(struct sweep *sweep)
{
    /* Whoever stops reading the list gets no more of it. */
    if (sweep->listed > 0 && fdio_write(STDOUT_FILENO, sweep->list, sweep->listed) < 0)
        sweep->listed = 0;
    sweep->listed = 0;
}

static void list_path(struct sweep *sweep, const struct walk_dir *dir, const char *name)
{
    char path[2 * SWEEP_PATH_SIZE];

    show_path(dir, name, path, sizeof path - 1);
    size_t length = strlen(path);
    if (!name)
        path[length++] = '/';
    pthread_mutex_lock(&sweep->lock);
    if (sweep->listed + length + 1 > sizeof sweep->list)
        list_flush(sweep);
    memcpy(sweep->list + sweep->listed, path, length);
    sweep->list[sweep->listed + length] = '\n';
    sweep->listed += length + 1;
    pthread_mutex_unlock(&sweep->lock);
}

static unsigned remove_entry(struct sweep *sweep, const struct walk_dir *dir, size_t stage,
                             const struct tree_entry *entry)
{
    struct sweep_counts *counts = sweep_of(sweep, dir->crew, stage);
    struct tree_stat st;
    int64_t size = 0;

    if (tree_stat(dir->fd, entry->name, false, &st) == 0)
        size = st.links == 1 ? st.size : 0;
    if (sweep->is_dry) {
        list_path(sweep, dir, entry->name);
    } else if (tree_remove(dir->fd, entry->name, false) < 0) {
        /* Gone already, or a folder by now: not for us to say a word about. */
        if (errno == ENOENT || errno == EISDIR)
            return WALK_GONE | WALK_COSTLY;
        note_problem(sweep, dir, stage, entry->name);
        return WALK_KEPT | WALK_COSTLY;
    }
    add(&counts->done, 1);
    add(&counts->bytes, size);
    return WALK_GONE | WALK_COSTLY;
}

static unsigned touch_entry(struct sweep *sweep, const struct walk_dir *dir, size_t stage,
                            const struct tree_entry *entry)
{
    struct sweep_counts *counts = sweep_of(sweep, dir->crew, stage);

    add(&counts->seen, 1);
    if (sweep->is_dry)
        list_path(sweep, dir, entry->name);
    else if (touch_file(dir->fd, entry->name) < 0) {
        if (errno != ENOENT)
            note_problem(sweep, dir, stage, entry->name);
        return WALK_KEPT | WALK_COSTLY;
    }
    add(&counts->done, 1);
    return WALK_KEPT | WALK_COSTLY;
}

/* The verdict of `mode = stale`, or in `mode = all` just whether there is a source. */
static int judge(const struct sweep *sweep, const struct walk_dir *dir,
                 const struct tree_entry *entry, const struct pyc_name *name, size_t stage,
                 enum pyc_verdict *verdict)
{
    uint64_t bit = UINT64_C(1) << stage;
    bool is_prefix = dir->place.prefix & bit;
    bool in_cache = is_prefix || (dir->place.cache & bit);
    char sources[4200];
    struct bytecode_place place = { .dir = dir->fd,
                                    .sources = in_cache ? "../" : "",
                                    .in_cache = in_cache,
                                    .is_prefix = is_prefix,
                                    .birth = &sweep->birth };
    int64_t size;

    if (is_prefix) {
        snprintf(sources, sizeof sources, "/%s%s", relative(dir), *relative(dir) ? "/" : "");
        place.sources = sources;
    }
    if (sweep->choices[stage].stage->mode == BYTECODE_STALE)
        return bytecode_judge(&place, entry, name, verdict, &size);
    bool has_source;
    *verdict = PYC_ORPHAN;
    if (in_cache)
        return 0;
    if (bytecode_has_source(&place, entry, name, &has_source) < 0)
        return -1;
    if (!has_source)
        *verdict = PYC_SOURCELESS;
    return 0;
}

static unsigned clear_bytecode(struct sweep *sweep, const struct walk_dir *dir, size_t stage,
                               const struct tree_entry *entry, const struct pyc_name *name)
{
    const struct stage_plan *plan = sweep->choices[stage].stage;
    enum pyc_verdict verdict;

    add(&sweep_of(sweep, dir->crew, stage)->seen, 1);
    if (name->sort == PYC_OLD || name->sort == PYC_LEFTOVER)
        return remove_entry(sweep, dir, stage, entry);
    if (dir->is_cut && (dir->place.prefix >> stage & 1))
        return WALK_KEPT;
    if (judge(sweep, dir, entry, name, stage, &verdict) < 0) {
        if (errno == ENOENT)
            return WALK_GONE | WALK_COSTLY;
        note_problem(sweep, dir, stage, entry->name);
        return WALK_KEPT | WALK_COSTLY;
    }
    if (verdict == PYC_FOREIGN)
        note_kind(sweep, dir, stage, SWEEP_FOREIGN, entry->name);
    bool is_wanted = pyc_is_clearable(verdict);
    if (verdict == PYC_SOURCELESS) {
        is_wanted = plan->sourceless == SOURCELESS_REMOVE;
        if (!is_wanted)
            note_kind(sweep, dir, stage, SWEEP_SOURCELESS, entry->name);
    }
    return is_wanted ? remove_entry(sweep, dir, stage, entry) : WALK_KEPT | WALK_COSTLY;
}

static unsigned clear_entry(struct sweep *sweep, const struct walk_dir *dir, size_t stage,
                            const struct tree_entry *entry)
{
    const struct choice *choice = &sweep->choices[stage];
    uint64_t bit = UINT64_C(1) << stage;
    unsigned looked = 0;

    bool is_wanted = dir->place.whole & bit;
    if (!is_wanted && choice->has_bytecode) {
        bool in_cache = (dir->place.cache | dir->place.prefix) & bit;
        struct pyc_name name = pyc_name(entry->name, entry->length, in_cache);
        if (name.sort != PYC_NONE)
            return clear_bytecode(sweep, dir, stage, entry, &name);
    }
    if (!is_wanted)
        is_wanted = choice_matches(choice, PATTERN_FILE, entry->name, entry->length, relative(dir));
    if (!is_wanted && choice->has_jinja && entry->type == DT_REG &&
        mako_may_be(entry->name, entry->length)) {
        looked = WALK_COSTLY;
        is_wanted = mako_is_module(dir->fd, entry->name);
    }
    if (!is_wanted)
        return WALK_KEPT | looked;
    add(&sweep_of(sweep, dir->crew, stage)->seen, 1);
    return remove_entry(sweep, dir, stage, entry);
}

static unsigned sweep_file(void *context, const struct walk_dir *dir,
                           const struct tree_entry *entry)
{
    struct sweep *sweep = context;
    unsigned done = WALK_KEPT;

    for (uint64_t rest = dir->place.active; rest != 0; rest &= rest - 1) {
        size_t stage = (size_t)__builtin_ctzll(rest);
        const struct choice *choice = &sweep->choices[stage];
        if (choice_excludes(choice, PATTERN_FILE, entry->name, entry->length, relative(dir)))
            continue;
        if (choice->stage->action != ACTION_TOUCH) {
            done |= clear_entry(sweep, dir, stage, entry);
            if (done & WALK_GONE)
                return done;
        } else if (entry->type == DT_REG && ((dir->place.whole >> stage & 1) ||
                                             choice_matches(choice, PATTERN_FILE, entry->name,
                                                            entry->length, relative(dir)))) {
            done |= touch_entry(sweep, dir, stage, entry);
        }
    }
    return done;
}

/* The prefix is a root of its own, and is not taken for a folder of sourceless bytecode. */
static bool is_prefix_folder(const struct sweep *sweep, const struct walk_dir *dir,
                             const struct tree_entry *entry)
{
    if (!sweep->prefix || dir->is_cut)
        return false;
    size_t length = strlen(dir->path);
    return strncmp(sweep->prefix, dir->path, length) == 0 && sweep->prefix[length] == '/' &&
           strcmp(sweep->prefix + length + 1, entry->name) == 0;
}

static bool sweep_enter(void *context, const struct walk_dir *dir, const struct tree_entry *entry,
                        struct walk_place *below)
{
    const struct sweep *sweep = context;
    const struct walk_place *here = &dir->place;
    bool is_cache = entry->length == 11 && memcmp(entry->name, "__pycache__", 11) == 0;
    bool is_prefix = is_prefix_folder(sweep, dir, entry);
    struct walk_place place = { 0 };

    for (uint64_t rest = here->active; rest != 0; rest &= rest - 1) {
        size_t stage = (size_t)__builtin_ctzll(rest);
        uint64_t bit = rest & (~rest + 1);
        const struct choice *choice = &sweep->choices[stage];
        if (choice_excludes(choice, PATTERN_FOLDER, entry->name, entry->length, relative(dir)) ||
            (is_prefix && choice->has_bytecode && !(here->prefix & bit)))
            continue;
        place.active |= bit;
        place.prefix |= here->prefix & bit;
        if ((here->whole & bit) ||
            choice_matches(choice, PATTERN_FOLDER, entry->name, entry->length, relative(dir)))
            place.whole |= bit;
        else if (is_cache && choice->has_bytecode && choice->stage->mode == BYTECODE_ALL)
            place.whole |= bit;
        else if (is_cache && choice->has_bytecode)
            place.cache |= bit;
    }
    *below = place;
    return place.active != 0;
}

static bool sweep_leave(void *context, const struct walk_dir *dir)
{
    struct sweep *sweep = context;
    const struct walk_place *place = &dir->place;

    if (dir->is_root || dir->kept > 0)
        return false;
    if (((place->whole | place->cache) & sweep->removers) != 0 ||
        (place->prefix != 0 && dir->files_removed + dir->folders_removed > 0))
        return true;
    for (size_t i = 0; i < sweep->count && dir->folders_removed > 0 && dir->files_removed == 0;
         i++) {
        if ((place->active >> i & 1) && sweep->choices[i].has_bytecode)
            note_kind(sweep, dir, i, SWEEP_GHOST, NULL);
    }
    return false;
}

static unsigned sweep_remove(void *context, int parent, const char *name,
                             const struct walk_dir *dir)
{
    struct sweep *sweep = context;

    if (sweep->is_dry) {
        list_path(sweep, dir, NULL);
        return WALK_GONE;
    }
    if (tree_remove(parent, name, true) == 0 || errno == ENOENT)
        return WALK_GONE;
    if (errno != ENOTEMPTY && errno != EEXIST)
        note_problem(sweep, dir, (size_t)__builtin_ctzll(dir->place.active), NULL);
    return WALK_KEPT;
}

static void sweep_failed(void *context, const struct walk_dir *dir, const char *name)
{
    struct sweep *sweep = context;
    size_t stage = (size_t)__builtin_ctzll(dir->place.active);

    /* No longer there, or no longer a folder: someone was faster. */
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
        return;
    if (errno == EXDEV)
        note_kind(sweep, dir, stage, SWEEP_MOUNT, name);
    else
        note_problem(sweep, dir, stage, name);
}

static void show_progress(struct sweep *sweep, int64_t now_ms)
{
    char line[256];
    int64_t seen = 0;
    int64_t done = 0;

    for (size_t i = 0; i < sweep->count; i++) {
        seen += sweep_total(&sweep->counts[0][i].seen);
        done += sweep_total(&sweep->counts[0][i].done);
    }
    int length = snprintf(line, sizeof line, "\r%.100s: %lld seen, %lld done, %lld s ",
                          sweep->title, (long long)seen, (long long)done,
                          (long long)((now_ms - sweep->started_ms) / 1000));
    if (length > 0 && fdio_write(STDERR_FILENO, line, (size_t)length) == 0)
        sweep->shown_ms = now_ms;
}

static bool sweep_tick(void *context)
{
    struct sweep *sweep = context;
    int64_t now_ms = clock_ms();

    if (sweep->shows_progress && now_ms - sweep->started_ms >= PROGRESS_AFTER_MS &&
        now_ms - sweep->shown_ms >= PROGRESS_EVERY_MS)
        show_progress(sweep, now_ms);
    return now_ms < sweep->deadline_ms;
}

void sweep_finish(struct sweep *sweep)
{
    static const char wipe[] = "\r\033[K";

    list_flush(sweep);
    /* Nothing to be done about a terminal that takes no more. */
    if (sweep->shown_ms > 0 && fdio_write(STDERR_FILENO, wipe, sizeof wipe - 1) < 0)
        sweep->shows_progress = false;
}

const struct walk_calls sweep_calls = { .enter = sweep_enter,
                                        .file = sweep_file,
                                        .leave = sweep_leave,
                                        .remove = sweep_remove,
                                        .failed = sweep_failed,
                                        .tick = sweep_tick };
