/*
 * Remembers the nearest of many names.
 */
#include "plan/guess.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

void guess_start(struct guess *guess, const char *wanted)
{
    size_t length = strlen(wanted);

    guess->wanted = wanted;
    /* Two letters of a short word make it another one. */
    guess->distance = length < 2 ? 1 : length < 4 ? 2 : 3;
    guess->best[0] = '\0';
}

void guess_offer(struct guess *guess, const char *candidate)
{
    size_t length = strlen(guess->wanted);
    size_t other = strlen(candidate);

    /* So many letters must come or go. */
    if ((length > other ? length - other : other - length) >= guess->distance)
        return;
    size_t distance = text_distance(guess->wanted, candidate);
    if (distance >= guess->distance)
        return;
    guess->distance = distance;
    snprintf(guess->best, sizeof guess->best, "%s", candidate);
}

const char *guess_text(const struct guess *guess, char *out)
{
    out[0] = '\0';
    if (guess->best[0] != '\0')
        snprintf(out, GUESS_TEXT_SIZE, ", did you mean \"%s\"?", guess->best);
    return out;
}
