/*
 * Looks at code as Python would. Removes nothing: that is for a stage.
 */
#include "stage/survey.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "stage/birth.h"
#include "stage/bytecode.h"
#include "stage/seal.h"
#include "stage/tour.h"

struct surveying {
    struct survey *out;
    struct birth birth;
    struct seal seal;
    bool has_seal;
};

/* Would Python run it, or stumble over it? What it passes over by itself does no harm. */
static bool is_harmful(enum pyc_verdict verdict)
{
    return verdict == PYC_STALE || verdict == PYC_UNPROVEN || verdict == PYC_CORRUPT;
}

static void look_at_bytecode(struct surveying *surveying, const struct tour_file *file)
{
    struct survey *out = surveying->out;
    const struct tree_entry *entry = file->entry;
    const struct bytecode_place place = {
        .dir = file->dir->fd,
        .sources = file->in_cache ? "../" : "",
        .in_cache = file->in_cache,
        .birth = &surveying->birth,
        .seal = surveying->has_seal ? &surveying->seal : NULL,
        .path = file->dir->is_cut ? NULL : file->dir->path,
    };
    struct pyc_name name = pyc_name(entry->name, entry->length, file->in_cache);
    enum pyc_verdict verdict;
    char path[SEAL_PATH_MAX];
    int64_t size;

    out->bytecode++;
    if (bytecode_judge(&place, entry, &name, &verdict, &size) < 0) {
        if (errno != ENOENT && out->unread++ == 0)
            snprintf(out->first_unread, sizeof out->first_unread, "%.200s: %s", entry->name,
                     strerror(errno));
        return;
    }
    if (!is_harmful(verdict))
        return;
    if (out->stale < SURVEY_NAMED_MAX) {
        tour_path(file->dir, entry->name, path, sizeof path);
        escape_text(path, out->stale_names[out->stale], SURVEY_NAME_SIZE);
        out->stale_why[out->stale] = pyc_text(verdict);
    }
    out->stale++;
}

static void look_at_file(void *context, const struct tour_file *file)
{
    struct surveying *surveying = context;
    struct tree_stat st;
    char path[SEAL_PATH_MAX];

    if (file->sort == TOUR_BYTECODE) {
        look_at_bytecode(surveying, file);
        return;
    }
    struct survey_newest *newest =
        file->sort == TOUR_SOURCE ? &surveying->out->sources : &surveying->out->templates;
    if (tree_stat(file->dir->fd, file->entry->name, false, &st) < 0)
        return;
    newest->count++;
    if (!birth_is_later(st.changed, newest->changed))
        return;
    newest->changed = st.changed;
    tour_path(file->dir, file->entry->name, path, sizeof path);
    escape_text(path, newest->name, sizeof newest->name);
}

int survey_take(const struct plan *plan, int64_t deadline_ms, struct survey *out, struct fault *why)
{
    struct surveying surveying = { .out = out };
    struct tour tour = { .file = look_at_file, .context = &surveying, .deadline_ms = deadline_ms };
    struct roots roots;
    struct fault unused;

    *out = (struct survey){ .bytecode = 0 };
    if (tour_roots(plan, &roots, why) < 0)
        return -1;
    if (roots.count == 0)
        return fault_set(why, "there is no such folder");
    fault_clear(&unused);
    birth_find(&surveying.birth);
    surveying.has_seal = seal_load(plan->seal, &surveying.seal, &unused) == 0;
    escape_text(roots.items[0].path, out->first_root, sizeof out->first_root);
    if (!tour_run(&tour, &roots))
        return fault_set(why, "not done in time");
    if (tour.unread > 0 && out->unread == 0)
        memcpy(out->first_unread, tour.first_unread, sizeof out->first_unread);
    out->unread += (int64_t)tour.unread;
    out->mounts = tour.mounts;
    memcpy(out->first_mount, tour.first_mount, sizeof out->first_mount);
    return 0;
}
