/*
 * Starts stages one after the other, each in a child of its own, and says how they ended.
 */
#include "init/stages.h"

#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signame.h"
#include "base/text.h"
#include "proc/group.h"
#include "proc/reap.h"
#include "proc/spawn.h"

/* A stage watches its own time and says why; PID 1 ends it only when it does not. */
enum { STAGE_MARGIN_MS = 2000 };

/* Runs in the child. */
static int run_stage(const void *context)
{
    const struct loop *loop = context;

    return loop->stage->body(loop->stage, loop->phase);
}

static void prepare_stage(const void *context)
{
    const struct loop *loop = context;

    if (loop->stage->prepare)
        loop->stage->prepare(loop->stage);
}

static const struct job *next_job(struct loop *loop)
{
    while (loop->next_job < loop->jobs->count) {
        const struct job *job = &loop->jobs->items[loop->next_job++];
        if (job->when & loop->phase)
            return job;
    }
    return NULL;
}

static void tell_done(const struct loop *loop)
{
    char took[32];
    int64_t ms = clock_ms() - loop->stages_start_ms;

    if (loop->stages_run == 0)
        return;
    text_show_ms(ms, took, sizeof took);
    if (loop->stages_failed == 0)
        log_event(LOG_INFO, "stages.done",
                  LOG_FIELDS(LOG_NUMBER("stages", loop->stages_run), LOG_NUMBER("ms", ms)),
                  "%s: %zu stage%s, %s",
                  loop->stages_refreshing > 0 ? "Cache cleared and templates refreshed"
                                              : "Stages done",
                  loop->stages_run, loop->stages_run == 1 ? "" : "s", took);
    else
        log_event(LOG_WARN, "stages.done",
                  LOG_FIELDS(LOG_NUMBER("stages", loop->stages_run),
                             LOG_NUMBER("failed", loop->stages_failed), LOG_NUMBER("ms", ms)),
                  "%zu of %zu stages failed, %s", loop->stages_failed, loop->stages_run, took);
}

static void begin_phase(struct loop *loop, enum when phase)
{
    loop->phase = phase;
    loop->next_job = 0;
    loop->stages_run = 0;
    loop->stages_failed = 0;
    loop->stages_refreshing = 0;
    loop->stages_start_ms = clock_ms();
}

bool stages_next(struct loop *loop, enum when phase, struct event *follows)
{
    struct fault why;

    if (loop->phase != phase)
        begin_phase(loop, phase);
    loop->stage = next_job(loop);
    if (!loop->stage) {
        tell_done(loop);
        loop->phase = 0;
        *follows = (struct event){ .kind = EVENT_STAGES_DONE };
        return true;
    }
    struct spawn what = { .body = run_stage,
                          .prepare = prepare_stage,
                          .context = loop,
                          .privs = { .user = loop->stage->user } };
    loop->stages_run += loop->stage->stage_count;
    loop->stages_refreshing += loop->stage->refreshes;
    fault_clear(&why);
    if (spawn_start(&what, &loop->stage_pid, &why) < 0) {
        loop->stage = NULL;
        *follows = (struct event){ .kind = EVENT_SPAWN_FAILED, .code = fault_report(&why) };
        return true;
    }
    state_stages_began(loop->record, loop->stage, phase);
    loop->is_stage_late = false;
    loop->stage_deadline_ms = clock_ms() + loop->stage->timeout_ms + STAGE_MARGIN_MS;
    return false;
}

static void forget(struct loop *loop)
{
    loop->stage = NULL;
    loop->stage_pid = 0;
    loop->stage_deadline_ms = CLOCK_NEVER;
}

void stages_end_late(struct loop *loop)
{
    loop->is_stage_late = true;
    loop->stage_deadline_ms = CLOCK_NEVER;
    group_signal(loop->stage_pid, SIGKILL, GROUP_ALL);
}

void stages_abandon(struct loop *loop)
{
    if (loop->stage_pid != 0)
        group_signal(loop->stage_pid, SIGTERM, GROUP_ALL);
    forget(loop);
    loop->phase = 0;
}

static enum state_outcome outcome_of(const struct loop *loop, int status)
{
    if (loop->is_stage_late || reap_signal(status))
        return OUTCOME_KILLED;
    return reap_code(status) == 0 ? OUTCOME_DONE : OUTCOME_FAILED;
}

struct event stages_ended(struct loop *loop, int status)
{
    const struct job *stage = loop->stage;
    bool is_fatal = stage->on_error == ON_ERROR_FAIL;
    enum log_level level = is_fatal ? LOG_ERROR : LOG_WARN;
    char name[16];
    char limit[32];

    state_stages_ended(loop->record, stage, outcome_of(loop, status));
    forget(loop);
    if (reap_code(status) == 0)
        return (struct event){ .kind = EVENT_STAGE_ENDED };
    loop->stages_failed += stage->stage_count;
    /* A stage that failed has said why itself; one that was killed could not. */
    if (loop->is_stage_late)
        log_event(level, "stage.failed", LOG_FIELDS(LOG_TEXT("stage", stage->name)),
                  "[stage %s] killed: not done after %s (timeout =)", stage->name,
                  text_show_ms(stage->timeout_ms, limit, sizeof limit));
    else if (reap_signal(status))
        log_event(level, "stage.failed", LOG_FIELDS(LOG_TEXT("stage", stage->name)),
                  "[stage %s] ended by SIG%s", stage->name,
                  signame_text(reap_signal(status), name, sizeof name));
    return (struct event){ .kind = is_fatal ? EVENT_STAGE_FATAL : EVENT_STAGE_ENDED };
}
