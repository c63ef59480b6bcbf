/*
 * Are the caches reachable, and were they flushed for this release?
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/url.h"
#include "cmd/verify_parts.h"
#include "net/ready.h"
#include "stage/flushed.h"

static const char fix_flush[] = "freshinit reload flushes (a stage with when = reload), or start a "
                                "container anew; see the stage's line in the log";

static const struct state_stage *last_run(const struct verify *verify, size_t index)
{
    const struct state_record *record = &verify->running->record;

    return verify->running->is_found && index < record->stage_count ? &record->stages[index] : NULL;
}

/* A stage without a marker: what it did here is all that can be known. */
static void check_last_run(struct verify *verify, const struct state_stage *stage, const char *name,
                           struct finding *found)
{
    char ago[32];

    if (!stage || stage->outcome == OUTCOME_NEVER) {
        found->mark = MARK_SKIPPED;
        checklist_add(&verify->list, found, "%s answers; it was not flushed here", name);
    } else if (stage->outcome == OUTCOME_DONE) {
        found->mark = MARK_OK;
        checklist_add(&verify->list, found, "%s answers; flushed %s ago", name,
                      text_show_ms(clock_ms() - stage->began_ms, ago, sizeof ago));
    } else {
        checklist_add(&verify->list, found, "%s answers, but its flush failed", name);
    }
}

static void check_marker(struct verify *verify, const struct flushed *flushed, const char *name,
                         struct finding *found)
{
    struct once_mark mark;
    struct fault why;
    char ago[32];

    fault_clear(&why);
    int listed = flushed_look(flushed, &mark, &why);
    if (listed < 0) {
        checklist_add(&verify->list, found, "%s: %s", name, fault_line(&why, 0));
    } else if (listed == 0) {
        checklist_add(&verify->list, found, "%s was not flushed for %s", name,
                      flushed->stage->once_id ? flushed->stage->once_id : verify->plan->release);
    } else {
        found->mark = MARK_OK;
        checklist_add(&verify->list, found, "%s was flushed for this release by %s, %s ago", name,
                      mark.host, text_show_ms(clock_wall_ms() - mark.at_s * 1000, ago, sizeof ago));
    }
}

static void check_server(struct verify *verify, size_t index, const char *subject)
{
    const struct stage_plan *stage = &verify->plan->stages[index];
    struct finding found = { .mark = MARK_FAIL, .name = "cache", .fix = fix_flush };
    int64_t deadline_ms = clock_ms() + verify->plan->health.timeout_ms;
    char name[URL_TEXT_MAX];
    struct fault why;
    struct url url;

    fault_clear(&why);
    if (url_parse(subject, &url, &why) < 0) {
        checklist_add(&verify->list, &found, "%s", fault_line(&why, 0));
        return;
    }
    url_public(&url, name, sizeof name);
    const struct ready_query query = { .url = &url, .password_file = stage->password_file };
    if (ready_ask(&query, deadline_ms, &why) < 0) {
        found.fix = "start it, or mend the address in [stage ...] flush";
        checklist_add(&verify->list, &found, "%s: %s", name, fault_line(&why, 0));
        return;
    }
    const struct flushed flushed = {
        .plan = verify->plan, .stage = stage, .url = &url, .deadline_ms = deadline_ms
    };
    bool has_id = stage->once_id || verify->plan->release[0] != '\0';
    if (stage->once == ONCE_RELEASE && has_id)
        check_marker(verify, &flushed, name, &found);
    else
        check_last_run(verify, last_run(verify, index), name, &found);
}

void verify_cache(struct verify *verify)
{
    for (size_t i = 0; i < verify->plan->stage_count; i++) {
        const struct stage_plan *stage = &verify->plan->stages[i];
        for (size_t j = 0; stage->action == ACTION_FLUSH && j < stage->subjects.count; j++)
            check_server(verify, i, stage->subjects.items[j]);
    }
}
