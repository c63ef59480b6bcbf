/*
 * Looks for what was changed, taken away or added since the seal was made. Changes nothing.
 */
#include "stage/seal_check.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "stage/seal.h"
#include "stage/tour.h"

enum { NAMED_MAX = 3, NAME_SIZE = 120 };

/* One kind of difference. */
struct finding {
    const char *word;
    int64_t count;
    char names[NAMED_MAX][NAME_SIZE];
};

struct check {
    struct seal seal;
    struct finding changed;
    struct finding missing;
    struct finding added;
    struct finding unread;
};

static void note(struct finding *finding, const char *path)
{
    if (finding->count < NAMED_MAX)
        escape_text(path, finding->names[finding->count], NAME_SIZE);
    finding->count++;
}

static void look_at_file(void *context, const struct tour_file *file)
{
    struct check *check = context;
    char path[SEAL_PATH_MAX];

    if (file->sort == TOUR_BYTECODE || !tour_path(file->dir, file->entry->name, path, sizeof path))
        return;
    struct seal_item *item = seal_find(&check->seal, path);
    if (!item) {
        note(&check->added, path);
        return;
    }
    item->is_seen = 1;
    int matches = seal_matches(item, file->dir->fd, file->entry->name);
    if (matches < 0)
        note(&check->unread, path);
    else if (matches == 0)
        note(&check->changed, path);
}

static void look_for_missing(struct check *check)
{
    struct seal_cursor cursor = { .at = 0 };

    while (seal_next(&check->seal, &cursor)) {
        const struct seal_item *item = seal_find(&check->seal, cursor.path);
        if (!item->is_seen && tour_sort(cursor.path, cursor.length) != TOUR_BYTECODE)
            note(&check->missing, cursor.path);
    }
}

static void write_finding(const struct finding *finding, char *out, size_t out_size)
{
    size_t used = strlen(out);

    if (finding->count == 0)
        return;
    int length = snprintf(out + used, out_size - used, "%s%lld %s (", used > 0 ? ", " : "",
                          (long long)finding->count, finding->word);
    for (int i = 0; i < NAMED_MAX && i < finding->count && length > 0; i++) {
        used += (size_t)length;
        if (used >= out_size)
            return;
        length =
            snprintf(out + used, out_size - used, "%s%s", i > 0 ? ", " : "", finding->names[i]);
    }
    used = strlen(out);
    snprintf(out + used, out_size - used, "%s)", finding->count > NAMED_MAX ? ", ..." : "");
}

static void conclude(struct check *check, const struct tour *tour, bool is_whole,
                     struct seal_report *out)
{
    const struct finding *const all[] = { &check->changed, &check->missing, &check->added,
                                          &check->unread };

    for (size_t i = 0; i < COUNT(all); i++)
        write_finding(all[i], out->names, sizeof out->names);
    size_t used = strlen(out->names);
    if (tour->unread > 0)
        snprintf(out->names + used, sizeof out->names - used, "%s%s", used > 0 ? ", " : "",
                 tour->first_unread);
    else if (!is_whole)
        snprintf(out->names + used, sizeof out->names - used, "%snot done in time",
                 used > 0 ? ", " : "");
    out->result = out->names[0] == '\0' ? SEAL_SAME : SEAL_DIFFERS;
    /* None of it is here: it is not this tree that was sealed. */
    if (check->missing.count == out->files && out->files > 0) {
        out->result = SEAL_BROKEN;
        snprintf(out->names, sizeof out->names,
                 "it was made for another tree (%s): none of its files is here",
                 check->seal.roots.items[0].path);
    }
}

static int64_t count_files(const struct seal *seal)
{
    struct seal_cursor cursor = { .at = 0 };
    int64_t count = 0;

    while (seal_next(seal, &cursor))
        count += tour_sort(cursor.path, cursor.length) != TOUR_BYTECODE;
    return count;
}

void seal_check(const struct plan *plan, int64_t deadline_ms, struct seal_report *out)
{
    struct check check;
    struct tour tour = { .file = look_at_file, .context = &check, .deadline_ms = deadline_ms };
    struct fault why;

    *out = (struct seal_report){ .result = SEAL_NONE };
    fault_clear(&why);
    int found = seal_load(plan->seal, &check.seal, &why);
    if (found < 0) {
        out->result = SEAL_BROKEN;
        snprintf(out->names, sizeof out->names, "%s", fault_line(&why, 0));
    }
    if (found != 0)
        return;
    check.changed = (struct finding){ .word = "changed" };
    check.missing = (struct finding){ .word = "missing" };
    check.added = (struct finding){ .word = "added" };
    check.unread = (struct finding){ .word = "not readable" };
    memcpy(out->release, check.seal.release, sizeof out->release);
    out->files = count_files(&check.seal);
    bool is_whole = tour_run(&tour, &check.seal.roots);
    look_for_missing(&check);
    conclude(&check, &tour, is_whole, out);
}
