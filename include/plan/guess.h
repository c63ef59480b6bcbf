/* "did you mean": the nearest of the names that were offered. */
#ifndef PLAN_GUESS_H
#define PLAN_GUESS_H

#include <stddef.h>

enum { GUESS_TEXT_SIZE = 96 };

struct guess {
    const char *wanted;
    size_t distance;
    char best[64];
};

void guess_start(struct guess *guess, const char *wanted);
void guess_offer(struct guess *guess, const char *candidate);

/* ", did you mean "umask"?", or "" when nothing is near. Returns `out`, of GUESS_TEXT_SIZE. */
const char *guess_text(const struct guess *guess, char *out);

#endif
