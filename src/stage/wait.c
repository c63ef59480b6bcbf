/*
 * Owns waiting for services. Each has a waiter, a process of its own that asks until it is ready
 * and tells over a pipe how it stands: a dead DNS or a silent server holds up no one else, and at
 * the deadline it is still known why.
 */
#include "stage/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "base/text.h"
#include "base/url.h"
#include "net/ready.h"
#include "net/wire.h"
#include "proc/group.h"
#include "proc/reap.h"
#include "proc/spawn.h"
#include "stage/place.h"

enum {
    WAITERS_MAX = 32,
    TELL_MS = 3000,
    PAUSE_LEAST_MS = 25,
    PAUSE_MOST_MS = 200,
    /* An address may be silent because the service moved, so no try lasts long at first. */
    TRY_LEAST_MS = 2000,
    TRY_MOST_MS = 8000,
    /* Between the waiters' deadline and the stage's, so that the last reason is still heard. */
    LAST_WORDS_MS = 50,
    REASON_SIZE = 400,
    /* So that a pipe that no one reads yet (64 KiB) has room for all of them and the last word. */
    REASONS_MAX = 100
};

struct waiter {
    const struct stage_run *run;
    const char *text; /* the URL as written */
    bool is_alone;
    int64_t began_ms;
    int64_t deadline_ms;
    int tell_fd; /* the waiter's end of the pipe */
    int hear_fd; /* ours */
    pid_t pid;
    char name[URL_TEXT_MAX];
};

static struct ready_query query_of(const struct stage_plan *stage, const struct url *url)
{
    return (struct ready_query){ .url = url,
                                 .password_file = stage->password_file,
                                 .body = stage->body,
                                 .status = stage->status };
}

static int check(const struct plan *plan, const struct stage_plan *stage, struct fault *why)
{
    int result = 0;

    if (stage->subjects.count == 0 || stage->subjects.count > WAITERS_MAX)
        return place_fault(plan, stage, why, "wait = takes one to %d URLs", WAITERS_MAX);
    for (size_t i = 0; i < stage->subjects.count; i++) {
        struct fault cause;
        struct url url;
        fault_clear(&cause);
        const struct ready_query query = query_of(stage, &url);
        if (url_parse(stage->subjects.items[i], &url, &cause) < 0 ||
            ready_check(&query, &cause) < 0)
            result = place_fault(plan, stage, why, "wait = %s", fault_line(&cause, 0));
    }
    return result;
}

/* One line through the pipe: '+' for ready, '-' and the reason for not yet. */
static void tell(const struct waiter *waiter, char sign, const char *reason)
{
    char line[REASON_SIZE];
    int length = snprintf(line, sizeof line - 1, "%c%s", sign, reason);
    size_t size = (size_t)length < sizeof line - 2 ? (size_t)length : sizeof line - 2;

    line[size++] = '\n';
    if (write(waiter->tell_fd, line, size) < 0)
        log_event(LOG_DEBUG, "wait.unheard", LOG_NONE, "Waiting for %s: pipe: %s", waiter->name,
                  strerror(errno));
}

static void log_pending(const struct waiter *waiter, const char *reason)
{
    int64_t ms = clock_ms() - waiter->began_ms;
    char time[32];

    log_event(LOG_INFO, "wait.pending",
              LOG_FIELDS(LOG_TEXT("stage", waiter->run->stages[0]->name),
                         LOG_TEXT("url", waiter->name), LOG_TEXT("reason", reason),
                         LOG_NUMBER("ms", ms)),
              "Waiting for %s: not ready after %s (%s)", waiter->name,
              text_show_ms(ms, time, sizeof time), reason);
}

static void log_ready(const struct waiter *waiter, const char *event)
{
    int64_t ms = clock_ms() - waiter->began_ms;
    char time[32];

    log_event(LOG_INFO, event,
              LOG_FIELDS(LOG_TEXT("stage", waiter->run->stages[0]->name),
                         LOG_TEXT("url", waiter->name), LOG_NUMBER("seen", 1),
                         LOG_NUMBER("done", 1), LOG_NUMBER("bytes", 0), LOG_NUMBER("ms", ms)),
              "Waiting for %s: ready after %s", waiter->name, text_show_ms(ms, time, sizeof time));
}

/* The earlier of the stage's deadline and `limit_ms` from now. */
static int64_t until(const struct waiter *waiter, int64_t limit_ms)
{
    int64_t end_ms = clock_ms() + limit_ms;

    return end_ms < waiter->deadline_ms ? end_ms : waiter->deadline_ms;
}

/* What has been said of why it is not ready. */
struct reasons {
    char last[REASON_SIZE];
    int count;
    int64_t logged_ms;
};

static void note(const struct waiter *waiter, const char *reason, struct reasons *reasons)
{
    /* What a try says that the deadline cut short hides the true reason. */
    if (clock_left(waiter->deadline_ms) == 0 && reasons->count > 0)
        return;
    if (strncmp(reasons->last, reason, sizeof reasons->last - 1) != 0 &&
        reasons->count < REASONS_MAX) {
        snprintf(reasons->last, sizeof reasons->last, "%s", reason);
        reasons->count++;
        tell(waiter, '-', reason);
    }
    if (clock_ms() - reasons->logged_ms < TELL_MS)
        return;
    log_pending(waiter, reason);
    reasons->logged_ms = clock_ms();
}

static int ask_until_ready(const struct waiter *waiter, const struct url *url)
{
    const struct ready_query query = query_of(waiter->run->stages[0], url);
    struct reasons reasons = { .logged_ms = waiter->began_ms };
    int64_t pause_ms = PAUSE_LEAST_MS;
    int64_t try_ms = TRY_LEAST_MS;
    struct fault why;

    for (;;) {
        int64_t try_end_ms = until(waiter, try_ms);
        fault_clear(&why);
        if (ready_ask(&query, try_end_ms, &why) == 0)
            return 0;
        note(waiter, fault_line(&why, 0), &reasons);
        if (clock_left(waiter->deadline_ms) == 0)
            return -1;
        if (clock_ms() >= try_end_ms && try_ms < TRY_MOST_MS)
            try_ms *= 2;
        clock_rest(until(waiter, pause_ms) - clock_ms());
        pause_ms = pause_ms * 2 < PAUSE_MOST_MS ? pause_ms * 2 : PAUSE_MOST_MS;
    }
}

static int live_as_waiter(const void *context)
{
    const struct waiter *waiter = context;
    struct url url;
    struct fault why;

    fault_clear(&why);
    if (url_parse(waiter->text, &url, &why) < 0)
        return fault_report(&why);
    if (ask_until_ready(waiter, &url) < 0)
        return EXIT_FAILED;
    if (!waiter->is_alone)
        log_ready(waiter, "wait.ready");
    tell(waiter, '+', "");
    return 0;
}

static int start(struct waiter *waiter, struct fault *why)
{
    const struct spawn spawn = { .body = live_as_waiter, .context = waiter, .keeps_group = true };
    struct url url;
    int ends[2];

    if (url_parse(waiter->text, &url, why) < 0)
        return -1;
    url_public(&url, waiter->name, sizeof waiter->name);
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return fault_errno(why, "pipe");
    waiter->hear_fd = ends[0];
    waiter->tell_fd = ends[1];
    int result = spawn_start(&spawn, &waiter->pid, why);
    close(waiter->tell_fd);
    if (result < 0)
        close(waiter->hear_fd);
    return result;
}

/* Until it is ready, or is not by the deadline. */
static int hear(const struct waiter *waiter, struct fault *why)
{
    char line[REASON_SIZE] = "";
    char reason[REASON_SIZE] = "no answer yet; its name may still be looked up";
    char time[32];
    struct fault unused;
    struct wire wire;

    fault_clear(&unused);
    wire_open(&wire, waiter->hear_fd, waiter->run->deadline_ms);
    while (line[0] != '+' && wire_line(&wire, line, sizeof line, &unused) == 0)
        if (line[0] == '-')
            snprintf(reason, sizeof reason, "%s", line + 1);
    wire_close(&wire);
    if (line[0] == '+')
        return 0;
    return fault_set(why, "Waiting for %s: not ready after %s: %s", waiter->name,
                     text_show_ms(clock_ms() - waiter->began_ms, time, sizeof time), reason);
}

static void end_waiters(const struct waiter *waiters, size_t count)
{
    for (size_t i = 0; i < count; i++)
        group_signal(waiters[i].pid, SIGKILL, GROUP_ONE);
    while (reap_next().kind == REAP_ENDED)
        continue;
}

static void log_all_ready(const struct stage_run *run, size_t count, int64_t began_ms)
{
    int64_t ms = clock_ms() - began_ms;
    char time[32];

    log_event(LOG_INFO, "stage.done",
              LOG_FIELDS(LOG_TEXT("stage", run->stages[0]->name), LOG_NUMBER("seen", count),
                         LOG_NUMBER("done", count), LOG_NUMBER("bytes", 0), LOG_NUMBER("ms", ms)),
              "Waiting for %zu services: all ready after %s", count,
              text_show_ms(ms, time, sizeof time));
}

static int wait_for_all(const struct stage_run *run, struct fault *why)
{
    const struct words *subjects = &run->stages[0]->subjects;
    int64_t began_ms = clock_ms();
    struct waiter waiters[WAITERS_MAX];
    size_t started = 0;
    int result = 0;

    for (; started < subjects->count && result == 0; started += result == 0) {
        waiters[started] = (struct waiter){ .run = run,
                                            .text = subjects->items[started],
                                            .is_alone = subjects->count == 1,
                                            .began_ms = began_ms,
                                            .deadline_ms = run->deadline_ms - LAST_WORDS_MS };
        result = start(&waiters[started], why);
    }
    for (size_t i = 0; i < started && result == 0; i++) {
        bool is_ready = hear(&waiters[i], why) == 0;
        run->results[0].done += is_ready;
        run->results[0].problems += !is_ready;
    }
    run->results[0].seen = (int64_t)subjects->count;
    end_waiters(waiters, started);
    if (result < 0 || run->results[0].problems > 0)
        return -1;
    if (subjects->count == 1)
        log_ready(&waiters[0], "stage.done");
    else
        log_all_ready(run, subjects->count, began_ms);
    return 0;
}

static int body(const struct stage_run *run, struct fault *why)
{
    const struct stage_plan *stage = run->stages[0];

    if (!run->is_dry)
        return wait_for_all(run, why);
    run->results[0].skipped = 1;
    for (size_t i = 0; i < stage->subjects.count; i++) {
        char name[URL_TEXT_MAX];
        struct url url;
        if (url_parse(stage->subjects.items[i], &url, why) < 0)
            return -1;
        url_public(&url, name, sizeof name);
        log_event(LOG_INFO, "stage.dry", LOG_FIELDS(LOG_TEXT("stage", stage->name)),
                  "Waiting for %s: would wait up to %s", name,
                  text_show_ms(stage->timeout_ms, (char[32]){ 0 }, 32));
    }
    return 0;
}

const struct stage_kind wait_stage = { .action = ACTION_WAIT, .check = check, .body = body };
