/*
 * Says in one line of the log whether what was built is what is there. Stops nothing.
 */
#include "cmd/sealed.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "base/text.h"
#include "stage/seal_check.h"

enum { TIMEOUT_MS = 30000 };

/* Runs in the child. */
static int check(const struct job *job, enum when phase)
{
    int64_t began_ms = clock_ms();
    struct seal_report report;
    char time[32];

    (void)phase;
    seal_check(job->context, began_ms + job->timeout_ms, &report);
    text_show_ms(clock_ms() - began_ms, time, sizeof time);
    if (report.result == SEAL_SAME)
        log_event(LOG_INFO, "seal.same", LOG_FIELDS(LOG_NUMBER("files", report.files)),
                  "Seal: %" PRId64 " files are as they were built, %s", report.files, time);
    else if (report.result == SEAL_DIFFERS)
        log_event(LOG_WARN, "seal.differs",
                  LOG_FIELDS(LOG_NUMBER("files", report.files), LOG_TEXT("names", report.names)),
                  "Seal: the disk is not what was built (%" PRId64 " files): %s", report.files,
                  report.names);
    else if (report.result == SEAL_BROKEN)
        log_event(LOG_ERROR, "seal.broken", LOG_FIELDS(LOG_TEXT("error", report.names)), "Seal: %s",
                  report.names);
    return report.result == SEAL_BROKEN ? EXIT_FAILED : 0;
}

bool sealed_job(const struct plan *plan, struct job *out)
{
    if (!plan->seal || access(plan->seal, F_OK) < 0)
        return false;
    *out = (struct job){ .name = "seal",
                         .when = WHEN_START,
                         .timeout_ms = TIMEOUT_MS,
                         .on_error = ON_ERROR_WARN,
                         .body = check,
                         .context = plan };
    return true;
}
