/* What lies below the application's roots now: stale bytecode, and what changed last. */
#ifndef STAGE_SURVEY_H
#define STAGE_SURVEY_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/attr.h"
#include "base/fault.h"
#include "plan/plan.h"

enum { SURVEY_NAME_SIZE = 160, SURVEY_NAMED_MAX = 3 };

/* The file of one kind that changed last (ctime: nothing sets it back). */
struct survey_newest {
    int64_t count;
    struct timespec changed;
    char name[SURVEY_NAME_SIZE];
};

struct survey {
    struct survey_newest sources;
    struct survey_newest templates;
    int64_t bytecode;
    int64_t stale; /* Python would run it, or fail over it, and it is not of today's source */
    char stale_names[SURVEY_NAMED_MAX][SURVEY_NAME_SIZE];
    const char *stale_why[SURVEY_NAMED_MAX];
    int64_t unread;
    char first_unread[256];
    char first_root[256];
    size_t mounts; /* that were not looked at */
    char first_mount[256];
};

/* -1: the roots can't be walked, or not in time. */
MUST_USE int survey_take(const struct plan *plan, int64_t deadline_ms, struct survey *out,
                         struct fault *why);

#endif
