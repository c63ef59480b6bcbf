/* How a file stage tells what it did: the lines of the log. */
#ifndef STAGE_REPORT_H
#define STAGE_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"
#include "stage/roots.h"
#include "stage/stage.h"
#include "stage/sweep.h"

/* "Clearing Python cache", "Emptying /app/staticfiles". Returns `out`. */
const char *report_title(const struct stage_plan *stage, char *out, size_t out_size);

/* The lines of stage number `index`, and its result. */
void report_stage(struct sweep *sweep, size_t index, const struct roots *roots,
                  struct stage_result *result);

#endif
