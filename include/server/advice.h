/* What will hurt in production, said before it does. */
#ifndef SERVER_ADVICE_H
#define SERVER_ADVICE_H

#include "plan/plan.h"
#include "server/profiles.h"

/* Logs one line for each thing, with what to do about it; nothing with advice = no. Reads a
 * few small files, changes nothing. */
void advice_give(const struct plan *plan, const struct profile *profile);

#endif
