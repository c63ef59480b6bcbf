/* The check of a start: is the disk still what was sealed? */
#ifndef CMD_SEALED_H
#define CMD_SEALED_H

#include <stdbool.h>

#include "init/job.h"
#include "plan/plan.h"

/* False: there is no seal. */
bool sealed_job(const struct plan *plan, struct job *out);

#endif
