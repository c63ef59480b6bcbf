/* The parts of verify: each adds its lines to the checklist. */
#ifndef CMD_VERIFY_PARTS_H
#define CMD_VERIFY_PARTS_H

#include <stdint.h>

#include "cmd/checklist.h"
#include "cmd/running.h"
#include "plan/plan.h"

struct verify {
    const struct plan *plan;
    const struct running *running;
    const char *none;                  /* why there is no running freshinit, where there is none */
    const struct processes *processes; /* its descendants; empty without one */
    int64_t deadline_ms;
    int64_t grace_ms; /* --grace; -1: not given */
    struct checklist list;
};

/* release, seal, bytecode, templates, code */
void verify_disk(struct verify *verify);

/* stages, workers, orphans, grace */
void verify_process(struct verify *verify);

/* answer, no-store */
void verify_answer(struct verify *verify);

/* port */
void verify_port(struct verify *verify);

/* one for each flush stage */
void verify_cache(struct verify *verify);

#endif
