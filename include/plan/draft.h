/*
 * A plan while its values are collected: each key remembers the last text that it was given, and
 * from where. Nothing is converted yet.
 */
#ifndef PLAN_DRAFT_H
#define PLAN_DRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"
#include "plan/guess.h"
#include "plan/inifile.h"
#include "plan/keys.h"
#include "plan/plan.h"

enum { DRAFT_PLACE_SIZE = 320 };

enum draft_at { DRAFT_NOWHERE, DRAFT_UNKNOWN, DRAFT_ENV, DRAFT_KEYS };

struct draft {
    struct plan *plan;
    const char *file; /* the name for faults */
    struct fault *why;
    int section_lines[KEY_STAGE]; /* of those that can be there once; 0: not seen */
    int env_line;
    enum draft_at at;         /* where the file is now, */
    enum key_section section; /* of DRAFT_KEYS: in which section */
    struct stage_plan *stage; /* and in which stage, or NULL */
};

/* An empty plan in the arena. */
struct plan *draft_plan(void);

/* Lets inifile_parse fill the draft. */
struct inifile_handler draft_handler(struct draft *draft);

/* Where the text of a key is kept. `stage` is for keys of KEY_STAGE. */
struct source *draft_source(const struct plan *plan, const struct stage_plan *stage,
                            const struct key *key);

/* Sets NAME of [env]. */
MUST_USE int draft_env(struct plan *plan, const char *name, const struct source *source,
                       struct fault *why);

/* "freshinit.ini:12", "FRESHINIT_LOG", "--set": where a value came from. Returns `out`. */
const char *draft_place(const struct plan *plan, const struct source *source, char *out,
                        size_t out_size);

/* A fault of a key of [freshinit], [server] or [health], with the place where it is written.
 * Returns -1. */
int draft_fault(const struct plan *plan, enum key_section section, const char *key,
                struct fault *why, const char *format, ...) PRINTF_LIKE(5, 6);

/* The stage of that name, or NULL. */
struct stage_plan *draft_stage(struct plan *plan, const char *name);

/* Offers each key of a section to a guess. */
void draft_guess_key(struct guess *guess, enum key_section section);

#endif
