/* Owns a run stage: whether it is due, and what its end means. */
#include "stage/run.h"

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signame.h"
#include "base/text.h"
#include "proc/reap.h"
#include "stage/change.h"
#include "stage/command.h"
#include "stage/once_file.h"
#include "stage/once_redis.h"
#include "stage/place.h"

enum { KEPT_MS = 2000 };

/* Where the marker of a run stage lies: in redis, or in state_dir. */
struct place {
    const struct stage_run *run;
    bool is_redis;
    struct url url;
    struct redis redis;
    struct once_file file;
};

static int check(const struct plan *plan, const struct stage_plan *stage, struct fault *why)
{
    struct url url;
    struct fault inner;
    int64_t database;
    int result = once_check(plan, stage, why);

    if (stage->shell ? stage->subject[0] == '\0' : stage->subjects.count == 0)
        result = place_fault(plan, stage, why, "run: there is no command");
    if (!stage->once_at)
        return result;
    fault_clear(&inner);
    if (url_parse(stage->once_at, &url, &inner) < 0 || redis_database(&url, &database, &inner) < 0)
        return place_fault(plan, stage, why, "once_at: %s", fault_line(&inner, 0));
    if (strncmp(url.scheme, "redis", 5) != 0)
        return place_fault(plan, stage, why, "once_at: write redis:// or redis+unix://, not %s://",
                           url.scheme);
    return result;
}

/* A command may take longer than an idle connection lives, so each step has its own. */
static int open_place(struct place *place, int64_t deadline_ms, struct fault *why)
{
    const struct login login = { .url = &place->url,
                                 .password_file = place->run->stages[0]->password_file,
                                 .deadline_ms = deadline_ms };

    return place->is_redis ? redis_open(&place->redis, &login, why) : 0;
}

static void close_place(struct place *place)
{
    if (place->is_redis)
        redis_close(&place->redis);
}

static struct once_store store_of(struct place *place)
{
    return place->is_redis ? once_redis_store(&place->redis) : once_file_store(&place->file);
}

static int claim(struct place *place, struct once_turn *turn, struct fault *why)
{
    if (open_place(place, place->run->deadline_ms, why) < 0)
        return -1;
    const struct once_store store = store_of(place);
    int is_ours = once_claim(turn, &store, why);
    close_place(place);
    return is_ours;
}

/* Marks it as done, or gives the lock back for another one to try. */
static int settle(struct place *place, const struct once_turn *turn, bool is_done,
                  struct fault *why)
{
    if (open_place(place, clock_ms() + KEPT_MS, why) < 0)
        return -1;
    const struct once_store store = store_of(place);
    int result;
    if (!is_done)
        result = store.unlock(store.self, turn, why);
    else if (place->is_redis)
        result = once_redis_done(&place->redis, turn, NULL, why);
    else
        result = once_file_done(&place->file, turn, why);
    close_place(place);
    return result;
}

static int run_now(const struct stage_run *run, struct fault *why)
{
    const struct stage_plan *stage = run->stages[0];
    struct command_end end = { 0 };
    int64_t began_ms = clock_ms();
    char text[32];

    if (command_run(run, &end, why) < 0)
        return -1;
    int number = reap_signal(end.status);
    if (number != 0)
        return fault_set(why, "%s: ended by SIG%s", stage->subject,
                         signame_text(number, text, sizeof text));
    if (reap_code(end.status) != 0)
        return fault_set(why, "%s: exit status %d", stage->subject, reap_code(end.status));
    int64_t ms = clock_ms() - began_ms;
    run->results[0].seen = end.lines;
    run->results[0].done = 1;
    log_event(LOG_INFO, "stage.done",
              LOG_FIELDS(LOG_TEXT("stage", stage->name), LOG_NUMBER("seen", end.lines),
                         LOG_NUMBER("done", 1), LOG_NUMBER("bytes", 0), LOG_NUMBER("ms", ms)),
              "Running %s: done, %s", stage->name, text_show_ms(ms, text, sizeof text));
    return 0;
}

static int run_in_turn(const struct stage_run *run, struct once_turn *turn, struct fault *why)
{
    const struct stage_plan *stage = run->stages[0];
    struct place place = { .run = run, .is_redis = stage->once_at != NULL };
    struct fault unneeded;
    char text[512];

    if (place.is_redis && url_parse(stage->once_at, &place.url, why) < 0)
        return -1;
    if (!place.is_redis && once_file_open(&place.file, run->plan->state_dir, &stage->user, why) < 0)
        return -1;
    int is_ours = claim(&place, turn, why);
    if (is_ours < 0)
        return -1;
    if (is_ours == 0) {
        run->results[0].skipped = 1;
        log_event(LOG_INFO, "stage.done",
                  LOG_FIELDS(LOG_TEXT("stage", stage->name), LOG_NUMBER("skipped", 1)),
                  "Running %s: %s", stage->name, once_show(turn, text, sizeof text));
        return 0;
    }
    if (run_now(run, why) == 0)
        return settle(&place, turn, true, why);
    fault_clear(&unneeded);
    if (settle(&place, turn, false, &unneeded) < 0)
        log_event(LOG_DEBUG, "once.kept", LOG_FIELDS(LOG_TEXT("stage", stage->name)),
                  "Running %s: the lock stays until its time is over: %s", stage->name,
                  fault_line(&unneeded, 0));
    return -1;
}

static int body(const struct stage_run *run, struct fault *why)
{
    const struct stage_plan *stage = run->stages[0];
    struct once_turn turn;
    struct change change;
    int is_due = change_look(run, stage, &change, why);

    if (is_due <= 0)
        return is_due;
    if (run->is_dry) {
        log_event(LOG_INFO, "stage.dry", LOG_FIELDS(LOG_TEXT("stage", stage->name)), "Would run %s",
                  stage->subject);
        return 0;
    }
    int has_once = once_prepare(run, stage, &turn, why);
    if (has_once < 0)
        return -1;
    if ((has_once ? run_in_turn(run, &turn, why) : run_now(run, why)) < 0)
        return -1;
    return change_done(&change, why);
}

const struct stage_kind run_stage = { .action = ACTION_RUN, .check = check, .body = body };
