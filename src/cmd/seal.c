/*
 * Writes down what was built, at the end of a Dockerfile. Changes nothing but the seal itself.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/page.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/load.h"
#include "stage/birth.h"
#include "stage/bytecode.h"
#include "stage/seal_draft.h"
#include "stage/tour.h"

/* One sealing. */
struct sealing {
    struct seal_draft draft;
    struct birth birth;
    struct fault *why;
    bool has_failed;
};

/* Bytecode is sealed only where it is fresh: only then does it vouch for its source later. */
static bool is_fresh(const struct sealing *sealing, const struct tour_file *file)
{
    const struct tree_entry *entry = file->entry;
    const struct bytecode_place place = { .dir = file->dir->fd,
                                          .sources = file->in_cache ? "../" : "",
                                          .in_cache = file->in_cache,
                                          .birth = &sealing->birth };
    struct pyc_name name = pyc_name(entry->name, entry->length, file->in_cache);
    enum pyc_verdict verdict;
    int64_t size;

    return bytecode_judge(&place, entry, &name, &verdict, &size) == 0 && verdict == PYC_FRESH;
}

static void seal_file(void *context, const struct tour_file *file)
{
    struct sealing *sealing = context;
    char path[SEAL_PATH_MAX];
    struct seal_entry entry = { .path = path };

    if (sealing->has_failed || (file->sort == TOUR_BYTECODE && !is_fresh(sealing, file)))
        return;
    if (!tour_path(file->dir, file->entry->name, path, sizeof path)) {
        sealing->has_failed = fault_set(sealing->why, "%s: the path is too long", path) < 0;
    } else if (seal_hash(file->dir->fd, file->entry->name, &entry.size, &entry.content) < 0) {
        if (errno != ENOENT)
            sealing->has_failed = fault_errno(sealing->why, "%s", path) < 0;
    } else {
        sealing->has_failed = seal_draft_add(&sealing->draft, &entry, sealing->why) < 0;
    }
}

static int find_roots(const struct plan *plan, const struct call *call, struct roots *out,
                      struct fault *why)
{
    const struct words words = { .items = call->words, .count = call->word_count };

    out->count = out->used = 0;
    if ((words.count > 0 ? tour_add(out, &words, why) : tour_roots(plan, out, why)) < 0)
        return -1;
    for (size_t i = 0; i < out->count; i++)
        if (strchr(out->items[i].path, '\n'))
            return fault_set(why, "a root with a line break in its path");
    return out->count > 0 ? 0 : fault_set(why, "nothing to seal: there is no such folder");
}

static int seal_all(const struct plan *plan, const struct roots *roots, struct sealing *sealing)
{
    struct tour tour = { .file = seal_file, .context = sealing, .deadline_ms = CLOCK_NEVER };

    birth_find(&sealing->birth);
    if (seal_draft_open(&sealing->draft, sealing->why) < 0)
        return -1;
    if (!tour_run(&tour, roots) || sealing->has_failed)
        return -1;
    if (tour.unread > 0)
        return fault_set(sealing->why, "%s", tour.first_unread);
    return seal_draft_write(&sealing->draft, plan->seal, plan->release, roots, sealing->why);
}

static void tell(struct page *page, const struct plan *plan, const struct sealing *sealing)
{
    bool is_released = plan->release[0] != '\0';
    struct stat st;
    char bytes[32];

    if (stat(plan->seal, &st) < 0)
        st.st_size = 0;
    page_add(page, "Sealed %zu files into %s (%s), release %s\n", sealing->draft.count, plan->seal,
             text_show_bytes(st.st_size, bytes, sizeof bytes),
             is_released ? plan->release : "unknown: set GIT_COMMIT_HASH");
}

int seal_command(const struct invocation *invocation)
{
    struct page page = { .fd = STDOUT_FILENO };
    struct sealing sealing = { .has_failed = false };
    struct roots roots;
    struct fault why;

    fault_clear(&why);
    sealing.why = &why;
    const struct plan *plan = load_plan(invocation, &why);
    if (!plan)
        return fault_report(&why);
    fault_code(&why, EXIT_FAILED);
    if (!plan->seal)
        fault_set(&why, "seal = is empty: write where the seal is to lie");
    if (why.count > 0 || find_roots(plan, invocation->call, &roots, &why) < 0 ||
        seal_all(plan, &roots, &sealing) < 0)
        return fault_report(&why);
    tell(&page, plan, &sealing);
    return page_end(&page) < 0 ? EXIT_FAILED : 0;
}
