/* Owns the memory of what a stage read. Where it can't be kept, the stage is due each time. */
#include "stage/change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "stage/digest.h"

static int take_digest(const struct stage_plan *stage, struct digest *out, struct fault *why)
{
    static char *const usual[] = { ".git", NULL };
    const struct words unwritten = { .items = usual, .count = 1 };
    const struct words *exclude = stage->has_exclude ? &stage->exclude : &unwritten;

    *out = (struct digest){ 0 };
    /* Another command is due as well. */
    digest_text(out, stage->subject);
    for (size_t i = 0; i < stage->in.count; i++)
        if (digest_add(out, stage->in.items[i], exclude, why) < 0)
            return -1;
    return 0;
}

static int due_each_time(const struct stage_plan *stage, const struct fault *inner)
{
    log_event(LOG_WARN, "once.unknown", LOG_FIELDS(LOG_TEXT("stage", stage->name)),
              "[stage %s] once = change can't be kept, so this is done each time: %s", stage->name,
              fault_line(inner, 0));
    return 1;
}

int change_look(const struct stage_run *run, const struct stage_plan *stage, struct change *out,
                struct fault *why)
{
    struct fault inner;
    struct digest digest;
    char known[sizeof out->digest];

    out->is_kept = false;
    if (stage->once != ONCE_CHANGE || run->is_dry)
        return 1;
    fault_clear(&inner);
    if (once_file_open(&out->file, run->plan->state_dir, &stage->user, &inner) < 0)
        return due_each_time(stage, &inner);
    once_key(stage->name, "digest", out->key);
    if (once_file_read(&out->file, out->key, known, sizeof known, &inner) < 0)
        return due_each_time(stage, &inner);
    if (take_digest(stage, &digest, why) < 0)
        return -1;
    snprintf(out->digest, sizeof out->digest, "%016" PRIx64 "%016" PRIx64 "\n", digest.sum[0],
             digest.sum[1]);
    if (strcmp(known, out->digest) != 0) {
        if (once_file_check(&out->file, &inner) < 0)
            return due_each_time(stage, &inner);
        out->is_kept = true;
        return 1;
    }
    run->results[0].skipped = 1;
    run->results[0].seen = digest.files;
    log_event(LOG_INFO, "stage.done",
              LOG_FIELDS(LOG_TEXT("stage", stage->name), LOG_NUMBER("seen", digest.files),
                         LOG_NUMBER("skipped", 1)),
              "Skipping %s: the %" PRId64 " files that it reads (%s%s) have not changed",
              stage->name, digest.files, stage->in.items[0], stage->in.count > 1 ? " ..." : "");
    return 0;
}

int change_done(const struct change *change, struct fault *why)
{
    if (!change->is_kept)
        return 0;
    return once_file_write(&change->file, change->key, change->digest, why);
}
