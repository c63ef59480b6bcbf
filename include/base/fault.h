/*
 * Why something failed: up to FAULT_LINES_MAX lines of fixed text, and the exit code that follows.
 * A check goes on after a fault, so that all of them are told in one go.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum { FAULT_LINES_MAX = 16, FAULT_TEXT_SIZE = 4000 };

struct fault {
    int exit_code; /* what fault_report returns: EXIT_OURS until fault_code says otherwise */
    size_t count;  /* lines told, also those that found no room */
    size_t kept;   /* lines in text */
    size_t used;   /* bytes of text in use */
    char text[FAULT_TEXT_SIZE];
};

/* Empty; to be called once before the first fault_set. */
void fault_clear(struct fault *why);

/* Adds one line; control characters are escaped. Returns -1, for `return fault_set(...)`. */
int fault_set(struct fault *why, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same, followed by ": " and the text of errno. */
int fault_errno(struct fault *why, const char *format, ...) PRINTF_LIKE(2, 3);

/* Which exit status the fault leads to. */
void fault_code(struct fault *why, int exit_code);

/* Line number `index`, or NULL after the last one. */
const char *fault_line(const struct fault *why, size_t index);

/* Logs each line as an error, and returns the exit code. */
MUST_USE int fault_report(const struct fault *why);

#endif
