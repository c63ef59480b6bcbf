/*
 * Decides over each entry of a walk for each stage that shares it: leave, touch or remove. Removes
 * only what a stage names; opens nothing but what has to be judged.
 */
#include "stage/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "stage/bytecode.h"
#include "stage/mako.h"
#include "stage/touch.h"

enum { PROGRESS_AFTER_MS = 1000, PROGRESS_EVERY_MS = 200 };

/* The path below the root; "" for the root. */
static const char *relative(const struct walk_dir *dir)
{
    const char *path = dir->path + dir->root_length;

    return *path == '/' ? path + 1 : path;
}

static void note_problem(struct sweep *sweep, const struct walk_dir *dir, size_t stage,
                         const char *name)
{
    struct tally_kept what = { .note = TALLY_PROBLEM, .stage = stage, .error = errno };

    tally_note(&sweep->tally, dir, &what, name);
}

static unsigned remove_entry(struct sweep *sweep, const struct walk_dir *dir, size_t stage,
                             const struct tree_entry *entry)
{
    struct tally_counts *counts = tally_of(&sweep->tally, dir, stage);
    struct tree_stat st;
    int64_t size = 0;

    if (tree_stat(dir->fd, entry->name, false, &st) == 0)
        size = st.links == 1 ? st.size : 0;
    if (sweep->is_dry) {
        tally_list(&sweep->tally, dir, entry->name);
    } else if (tree_remove(dir->fd, entry->name, false) < 0) {
        /* Gone already, or a folder by now: not for us to say a word about. */
        if (errno == ENOENT || errno == EISDIR)
            return WALK_GONE | WALK_COSTLY;
        note_problem(sweep, dir, stage, entry->name);
        return WALK_KEPT | WALK_COSTLY;
    }
    tally_add(&counts->done, 1);
    tally_add(&counts->bytes, size);
    return WALK_GONE | WALK_COSTLY;
}

static unsigned touch_entry(struct sweep *sweep, const struct walk_dir *dir, size_t stage,
                            const struct tree_entry *entry)
{
    struct tally_counts *counts = tally_of(&sweep->tally, dir, stage);

    tally_add(&counts->seen, 1);
    if (sweep->is_dry)
        tally_list(&sweep->tally, dir, entry->name);
    else if (touch_file(dir->fd, entry->name) < 0) {
        if (errno != ENOENT)
            note_problem(sweep, dir, stage, entry->name);
        return WALK_KEPT | WALK_COSTLY;
    }
    tally_add(&counts->done, 1);
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
                                    .birth = &sweep->birth,
                                    .seal = sweep->seal,
                                    .path = dir->is_cut ? NULL : dir->path };
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

    tally_add(&tally_of(&sweep->tally, dir, stage)->seen, 1);
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
        tally_note(&sweep->tally, dir,
                   &(struct tally_kept){ .note = TALLY_FOREIGN, .stage = stage }, entry->name);
    bool is_wanted = pyc_is_clearable(verdict);
    if (verdict == PYC_SOURCELESS) {
        is_wanted = plan->sourceless == SOURCELESS_REMOVE;
        if (!is_wanted)
            tally_note(&sweep->tally, dir,
                       &(struct tally_kept){ .note = TALLY_SOURCELESS, .stage = stage },
                       entry->name);
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
    tally_add(&tally_of(&sweep->tally, dir, stage)->seen, 1);
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
    return sweep->prefix && !dir->is_cut && roots_is_at(sweep->prefix, dir->path, entry->name);
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
            tally_note(&sweep->tally, dir, &(struct tally_kept){ .note = TALLY_GHOST, .stage = i },
                       NULL);
    }
    return false;
}

static unsigned sweep_remove(void *context, int parent, const char *name,
                             const struct walk_dir *dir)
{
    struct sweep *sweep = context;

    if (sweep->is_dry) {
        tally_list(&sweep->tally, dir, NULL);
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
    if (errno == EXDEV && name && roots_has(sweep->roots, dir->path, name))
        return;
    if (errno == EXDEV)
        tally_note(&sweep->tally, dir, &(struct tally_kept){ .note = TALLY_MOUNT, .stage = stage },
                   name);
    else
        note_problem(sweep, dir, stage, name);
}

static void show_progress(struct sweep *sweep, int64_t now_ms)
{
    char line[256];
    struct tally_sums all = { 0 };

    for (size_t i = 0; i < sweep->count; i++) {
        struct tally_sums sums;
        tally_sum(&sweep->tally, i, &sums);
        all.seen += sums.seen;
        all.done += sums.done;
    }
    snprintf(line, sizeof line, "\r%.100s: %lld seen, %lld done, %lld s ", sweep->title,
             (long long)all.seen, (long long)all.done,
             (long long)((now_ms - sweep->started_ms) / 1000));
    tally_show(&sweep->tally, line, now_ms);
}

static bool sweep_tick(void *context)
{
    struct sweep *sweep = context;
    int64_t now_ms = clock_ms();

    if (sweep->shows_progress && now_ms - sweep->started_ms >= PROGRESS_AFTER_MS &&
        now_ms - sweep->tally.shown_ms >= PROGRESS_EVERY_MS)
        show_progress(sweep, now_ms);
    return now_ms < sweep->deadline_ms;
}

const struct walk_calls sweep_calls = { .enter = sweep_enter,
                                        .file = sweep_file,
                                        .leave = sweep_leave,
                                        .remove = sweep_remove,
                                        .failed = sweep_failed,
                                        .tick = sweep_tick };
