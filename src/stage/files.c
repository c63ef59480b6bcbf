/*
 * The stages clear, empty and touch: their checks, and one run from roots to report. Which entry is
 * removed is decided in sweep.c, how they are found in walk.c.
 */
#include "stage/files.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "plan/environ.h"
#include "stage/confine.h"
#include "stage/place.h"
#include "stage/report.h"
#include "stage/roots.h"
#include "stage/sweep.h"

static const struct words *root_words(const struct stage_plan *stage)
{
    return stage->action == ACTION_EMPTY ? &stage->subjects : &stage->in;
}

static int check(const struct plan *plan, const struct stage_plan *stage, struct fault *why)
{
    const struct words *words = root_words(stage);
    struct fault found;

    fault_clear(&found);
    int result = choice_check(stage, &found);
    if (stage->subjects.count == 0)
        result = fault_set(&found, "it names nothing");
    for (size_t i = 0; i < words->count; i++)
        result |= roots_check(words->items[i], stage->action == ACTION_EMPTY, &found);
    for (size_t i = 0; fault_line(&found, i); i++)
        place_fault(plan, stage, why, "%s", fault_line(&found, i));
    return result;
}

/* What one run needs; lies on the stack of the child. */
struct files {
    const struct stage_run *run;
    struct sweep sweep;
    struct roots roots;
    struct walk_root open[ROOTS_MAX];
    size_t open_count;
    struct choice_pool pool;
    struct seal seal;
    char title[256];
};

/* A root that is refused only now is passed over with a warning: the rest of the stage goes on. */
static void add_root(struct files *files, size_t stage, const char *word, bool is_prefix)
{
    const struct stage_plan *plan = files->sweep.choices[stage].stage;
    struct root as = { .stages = UINT64_C(1) << stage, .is_prefix = is_prefix };
    struct fault why;
    size_t found = 0;

    fault_clear(&why);
    if (roots_add(&files->roots, word, &as, plan->action == ACTION_EMPTY, &found, &why) < 0)
        log_event(LOG_WARN, "stage.root_refused",
                  LOG_FIELDS(LOG_TEXT("stage", plan->name), LOG_TEXT("path", word)),
                  "[stage %s] passed over: %s", plan->name, fault_line(&why, 0));
    else if (found == 0)
        log_event(LOG_INFO, "stage.root_missing",
                  LOG_FIELDS(LOG_TEXT("stage", plan->name), LOG_TEXT("path", word)),
                  "[stage %s] %s: there is none, passed over", plan->name, word);
}

static void find_roots(struct files *files)
{
    struct sweep *sweep = &files->sweep;
    const char *prefix = environ_get(files->run->plan, "PYTHONPYCACHEPREFIX");

    sweep->roots = &files->roots;
    for (size_t i = 0; i < sweep->count; i++) {
        const struct words *words = root_words(sweep->choices[i].stage);
        for (size_t j = 0; j < words->count; j++)
            add_root(files, i, words->items[j], false);
        if (sweep->choices[i].has_bytecode && prefix && *prefix != '\0')
            add_root(files, i, prefix, true);
    }
    for (size_t i = 0; i < files->roots.count; i++) {
        if (files->roots.items[i].is_prefix)
            sweep->prefix = files->roots.items[i].path;
    }
}

/* Why a root is not walked, in words that say what to write instead. */
static void tell_unopened(const struct files *files, const struct root *root)
{
    const char *name = files->sweep.choices[__builtin_ctzll(root->stages)].stage->name;
    char real[PATH_MAX];
    int error = errno;

    bool is_link = (error == ELOOP || error == ENOTDIR) && realpath(root->path, real) &&
                   strcmp(real, root->path) != 0;
    if (is_link)
        log_event(LOG_WARN, "stage.root_link",
                  LOG_FIELDS(LOG_TEXT("stage", name), LOG_TEXT("path", root->path),
                             LOG_TEXT("real", real)),
                  "[stage %s] %s is reached through a symbolic link and passed over; write %s",
                  name, root->path, real);
    else if (error == ENOENT)
        /* What nobody wrote nobody misses. */
        log_event(files->run->plan->config ? LOG_INFO : LOG_DEBUG, "stage.root_missing",
                  LOG_FIELDS(LOG_TEXT("stage", name), LOG_TEXT("path", root->path)),
                  "[stage %s] %s: there is none, passed over", name, root->path);
    else
        log_event(LOG_WARN, "stage.root_unreadable",
                  LOG_FIELDS(LOG_TEXT("stage", name), LOG_TEXT("path", root->path),
                             LOG_TEXT("error", strerror(error))),
                  "[stage %s] %s: %s, passed over", name, root->path, strerror(error));
}

static bool is_cache_itself(const char *path)
{
    const char *name = strrchr(path, '/');

    return name && strcmp(name, "/__pycache__") == 0;
}

static struct walk_place root_place(const struct sweep *sweep, const struct root *root)
{
    struct walk_place place = { .active = root->stages };

    for (size_t i = 0; i < sweep->count; i++) {
        const struct choice *choice = &sweep->choices[i];
        uint64_t bit = root->stages & UINT64_C(1) << i;
        if (choice->stage->action == ACTION_EMPTY)
            place.whole |= bit;
        else if (choice->has_bytecode && root->is_prefix)
            place.prefix |= bit;
        else if (choice->has_bytecode && is_cache_itself(root->path))
            *(choice->stage->mode == BYTECODE_ALL ? &place.whole : &place.cache) |= bit;
    }
    return place;
}

static void open_roots(struct files *files)
{
    for (size_t i = 0; i < files->roots.count; i++) {
        struct root *root = &files->roots.items[i];
        struct walk_place place = root_place(&files->sweep, root);
        int fd = tree_root(root->path);
        if (fd < 0) {
            tell_unopened(files, root);
        } else if (roots_is_system(fd, place.whole != 0)) {
            log_event(LOG_WARN, "stage.root_refused", LOG_FIELDS(LOG_TEXT("path", root->path)),
                      "%s is a folder of the system under another name, and passed over",
                      root->path);
            tree_close(fd);
            fd = -1;
        }
        if (fd < 0) {
            root->stages = 0;
            continue;
        }
        files->open[files->open_count++] =
            (struct walk_root){ .fd = fd, .path = root->path, .place = place };
    }
}

static void confine(const struct files *files)
{
    int fds[ROOTS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < files->open_count && !files->sweep.is_dry; i++) {
        if (files->open[i].place.active & files->sweep.removers)
            fds[count++] = files->open[i].fd;
    }
    if (confine_to(fds, count) < 0)
        log_event(LOG_DEBUG, "stage.unconfined", LOG_FIELDS(LOG_TEXT("error", strerror(errno))),
                  "the stage runs without Landlock: %s", strerror(errno));
}

static unsigned count_cpus(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

/* More threads than processors may be: on a disk most of them wait. */
static unsigned crew_size(const struct files *files)
{
    return files->sweep.is_dry || count_cpus() < 2 ? 1 : WALK_CREW_MAX;
}

/* It makes a judgement over bytecode certain. One that is broken is told by the check of it. */
static void find_seal(struct files *files)
{
    struct sweep *sweep = &files->sweep;
    struct fault unused;
    bool is_wanted = false;

    for (size_t i = 0; i < sweep->count; i++)
        is_wanted |=
            sweep->choices[i].has_bytecode && sweep->choices[i].stage->mode == BYTECODE_STALE;
    fault_clear(&unused);
    if (is_wanted && seal_load(files->run->plan->seal, &files->seal, &unused) == 0)
        sweep->seal = &files->seal;
}

static int start(struct files *files, const struct stage_run *run, struct fault *why)
{
    struct sweep *sweep = &files->sweep;

    files->run = run;
    *sweep = (struct sweep){ 0 };
    tally_open(&sweep->tally);
    files->roots.count = files->roots.used = files->open_count = files->pool.used = 0;
    sweep->started_ms = clock_ms();
    sweep->deadline_ms = run->deadline_ms;
    sweep->is_dry = run->is_dry;
    sweep->shows_progress =
        !run->is_dry && run->plan->log == LOG_FORMAT_HUMAN && isatty(STDERR_FILENO);
    for (size_t i = 0; i < run->count; i++) {
        if (choice_read(run->stages[i], &files->pool, &sweep->choices[i], why) < 0)
            return -1;
        if (run->stages[i]->action != ACTION_TOUCH)
            sweep->removers |= UINT64_C(1) << i;
        sweep->count++;
    }
    sweep->title = report_title(run->stages[0], files->title, sizeof files->title);
    birth_find(&sweep->birth);
    find_seal(files);
    return 0;
}

/* Reports each stage; a fault when one of them was to fail over problems. */
static int finish(struct files *files, bool is_complete, struct fault *why)
{
    const struct stage_run *run = files->run;
    int outcome = 0;

    tally_close(&files->sweep.tally);
    for (size_t i = 0; i < run->count; i++) {
        struct stage_result *result = &run->results[i];
        report_stage(&files->sweep, i, &files->roots, result);
        result->skipped = files->open_count == 0;
        if (result->problems > 0 && run->stages[i]->on_error == ON_ERROR_FAIL)
            outcome = fault_set(why, "%lld files or folders could not be read or changed",
                                (long long)result->problems);
    }
    if (!is_complete)
        outcome = fault_set(why, "stopped by its timeout of %lld s with work left",
                            (long long)run->stages[0]->timeout_ms / 1000);
    for (size_t i = 0; i < files->open_count; i++)
        tree_close(files->open[i].fd);
    return outcome;
}

static int body(const struct stage_run *run, struct fault *why)
{
    struct files files;

    if (start(&files, run, why) < 0)
        return -1;
    find_roots(&files);
    open_roots(&files);
    confine(&files);
    bool is_complete =
        walk_run(files.open, files.open_count, crew_size(&files), &sweep_calls, &files.sweep);
    return finish(&files, is_complete, why);
}

const struct stage_kind files_clear = {
    .action = ACTION_CLEAR, .check = check, .body = body, .shares_walk = true
};

const struct stage_kind files_empty = {
    .action = ACTION_EMPTY, .check = check, .body = body, .shares_walk = true
};

const struct stage_kind files_touch = {
    .action = ACTION_TOUCH, .check = check, .body = body, .shares_walk = true
};
