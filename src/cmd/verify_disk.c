/*
 * What is deployed: the release, the seal, and the code on disk beside the processes that run it.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/image.h"
#include "cmd/verify_parts.h"
#include "plan/release.h"
#include "server/adapt.h"
#include "server/profiles.h"
#include "stage/seal_check.h"
#include "stage/survey.h"

/* How exactly /proc tells the start of a process, and a file system its times. */
enum { SLACK_MS = 30, JUMP_MS = 2000 };

static void check_release(struct verify *verify)
{
    static const char unsaid[] = "say which release is meant: [freshinit] expect = "
                                 "${EXPECTED_RELEASE:-}";
    const struct plan *plan = verify->plan;
    const char *running = verify->running->record.release;
    struct finding found = { .mark = MARK_FAIL, .name = "release" };
    char text[1024];

    enum image image = image_judge(plan, text, sizeof text);
    if (image == IMAGE_STALE || image == IMAGE_UNKNOWN) {
        found.fix = "rebuild without the old layer, deploy by digest, then verify again";
        checklist_add(&verify->list, &found, "%s", text);
    } else if (verify->running->is_found && verify->running->record.reloads_done == 0 &&
               !release_is_same(running, plan->release)) {
        found.fix = "start the container anew";
        checklist_add(&verify->list, &found, "release %s runs, but the disk says %s",
                      running[0] ? running : "unknown", plan->release);
    } else if (image == IMAGE_EXPECTED) {
        found.mark = MARK_OK;
        checklist_add(&verify->list, &found, "%s, as expected", plan->release);
    } else {
        found.mark = MARK_SKIPPED;
        found.fix = unsaid;
        checklist_add(&verify->list, &found, "%s; none is expected",
                      plan->release[0] ? plan->release : "unknown");
    }
}

static void check_seal(struct verify *verify)
{
    struct finding found = { .mark = MARK_FAIL, .name = "seal" };
    struct seal_report report;

    seal_check(verify->plan, verify->deadline_ms, &report);
    switch (report.result) {
    case SEAL_NONE:
        found.mark = MARK_SKIPPED;
        found.fix = "RUN freshinit seal as the last step of the Dockerfile";
        checklist_add(&verify->list, &found, "there is no %s",
                      verify->plan->seal ? verify->plan->seal : "seal");
        break;
    case SEAL_SAME:
        found.mark = MARK_OK;
        checklist_add(&verify->list, &found, "%lld files are as they were built",
                      (long long)report.files);
        break;
    case SEAL_DIFFERS:
        found.fix = "take away the volume or mount that hides the image's files, or rebuild; seal "
                    "again only if the change is meant";
        checklist_add(&verify->list, &found, "the disk is not what was built: %s", report.names);
        break;
    case SEAL_BROKEN:
        found.fix = "RUN freshinit seal, as root, as the last step of the Dockerfile";
        checklist_add(&verify->list, &found, "%s", report.names);
        break;
    }
}

static void check_bytecode(struct verify *verify, const struct survey *survey)
{
    struct finding found = { .mark = MARK_FAIL, .name = "bytecode" };
    char names[SURVEY_NAMED_MAX * (SURVEY_NAME_SIZE + 32)] = "";
    size_t used = 0;

    for (int i = 0; i < SURVEY_NAMED_MAX && i < survey->stale; i++) {
        int length = snprintf(names + used, sizeof names - used, "%s%s (%s)", i > 0 ? ", " : "",
                              survey->stale_names[i], survey->stale_why[i]);
        used += length > 0 ? (size_t)length : 0;
    }
    if (survey->stale > 0) {
        found.fix = "freshinit reload clears it and starts the server anew (with a [stage] clear = "
                    "bytecode); or start the container anew";
        checklist_add(&verify->list, &found,
                      "%lld of %lld files of bytecode are not of today's source: %s%s",
                      (long long)survey->stale, (long long)survey->bytecode, names,
                      survey->stale > SURVEY_NAMED_MAX ? ", ..." : "");
    } else if (survey->unread > 0) {
        found.mark = MARK_SKIPPED;
        found.fix = "run verify as root or as the server's user";
        checklist_add(&verify->list, &found, "%lld could not be read: %s",
                      (long long)survey->unread, survey->first_unread);
    } else if (survey->mounts > 0) {
        found.mark = MARK_SKIPPED;
        found.fix = "name it in the \"in\" of [stage] clear = bytecode, if it holds code";
        checklist_add(&verify->list, &found,
                      "%lld files below %s, none stale; %s is a mount and was not looked at",
                      (long long)survey->bytecode, survey->first_root, survey->first_mount);
    } else {
        found.mark = MARK_OK;
        checklist_add(&verify->list, &found, "%lld files below %s, none stale",
                      (long long)survey->bytecode, survey->first_root);
    }
}

/* Is its main process one that runs none of the application? */
static bool has_empty_master(const struct plan *plan)
{
    const struct profile *profile = profiles_find(plan->server.kind, &plan->server.command);

    switch (profile->kind) {
    case SERVER_GUNICORN:
        return !adapt_has_option(&plan->server.command, "--preload");
    case SERVER_HYPERCORN:
    case SERVER_GRANIAN:
        return true;
    case SERVER_UVICORN:
        return adapt_workers(plan) > 1;
    case SERVER_AUTO:
    case SERVER_GENERIC:
        break;
    }
    return false;
}

/* The process that loaded the application first; NULL when none runs. */
static const struct process *find_oldest(const struct verify *verify)
{
    bool skips_master = has_empty_master(verify->plan);
    const struct process *oldest = NULL;

    for (size_t i = 0; i < verify->processes->count; i++) {
        const struct process *process = &verify->processes->items[i];
        bool counts = process->state != 'Z' &&
                      (process->role == ROLE_WORKER || process->role == ROLE_ORPHAN ||
                       (process->role == ROLE_SERVER && !skips_master));
        if (counts && (!oldest || process->start < oldest->start))
            oldest = process;
    }
    return oldest;
}

/* By how much the clock was set since freshinit began: times of files tell nothing then. */
static int64_t clock_jump(const struct state_record *record)
{
    return clock_wall_ms() - record->began_wall_ms - (clock_ms() - record->began_ms);
}

static void check_newest(struct verify *verify, const char *name,
                         const struct survey_newest *newest)
{
    const struct process *oldest = find_oldest(verify);
    struct finding found = { .mark = MARK_SKIPPED, .name = name };
    int64_t changed_ms = (int64_t)newest->changed.tv_sec * 1000 + newest->changed.tv_nsec / 1000000;
    int64_t now_ms = clock_wall_ms();
    char ago[2][32];

    if (!oldest) {
        checklist_add(&verify->list, &found, "no process of the server is known");
        return;
    }
    int64_t jump_ms = clock_jump(&verify->running->record);
    if (jump_ms > JUMP_MS || jump_ms < -JUMP_MS || changed_ms > now_ms + JUMP_MS) {
        found.fix = "freshinit reload, then verify again";
        checklist_add(&verify->list, &found,
                      "the clock was set since the start, so the times of files tell nothing");
        return;
    }
    if (changed_ms > now_ms - running_age_ms(oldest) + SLACK_MS) {
        found.mark = MARK_FAIL;
        found.fix = "freshinit reload, or start the container anew";
        checklist_add(&verify->list, &found,
                      "%s changed %s ago, after process %d (%s) began, %s ago: it runs the old one",
                      newest->name, text_show_ms(now_ms - changed_ms, ago[0], sizeof ago[0]),
                      (int)oldest->pid, oldest->name,
                      text_show_ms(running_age_ms(oldest), ago[1], sizeof ago[1]));
        return;
    }
    found.mark = MARK_OK;
    checklist_add(&verify->list, &found, "%lld files, none changed since process %d (%s) began",
                  (long long)newest->count, (int)oldest->pid, oldest->name);
}

void verify_disk(struct verify *verify)
{
    struct survey survey;
    struct fault why;

    check_release(verify);
    check_seal(verify);
    fault_clear(&why);
    if (survey_take(verify->plan, verify->deadline_ms, &survey, &why) < 0) {
        checklist_add(&verify->list,
                      &(struct finding){ .mark = MARK_FAIL,
                                         .name = "bytecode",
                                         .fix = "name the application's folder: [stage bytecode] "
                                                "clear = bytecode, in = /app" },
                      "can't look at the code: %s", fault_line(&why, 0));
        return;
    }
    check_bytecode(verify, &survey);
    check_newest(verify, "code", &survey.sources);
    check_newest(verify, "templates", &survey.templates);
}
