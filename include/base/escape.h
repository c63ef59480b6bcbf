/* Text from outside, made fit for a terminal and a log. */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include <stddef.h>

/* A copy of `text` with control characters and broken UTF-8 as \xNN, cut to fit. Returns `out`. */
const char *escape_text(const char *text, char *out, size_t out_size);

#endif
