/* Words to values. Each refusal says what was wrong and what would be right. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"

/* Of ASCII only, whatever the locale. */
bool text_is_space(char c);
bool text_is_letter(char c);
bool text_is_digit(char c);

MUST_USE int text_number(const char *text, int64_t least, int64_t most, int64_t *out,
                         struct fault *why);
/* "500ms", "30s", "5m", "1h", "1m30s", "0"; a bare number is seconds. */
MUST_USE int text_duration(const char *text, int64_t *out_ms, struct fault *why);
/* "4096", "64K", "10M", "2G". */
MUST_USE int text_size(const char *text, int64_t *out_bytes, struct fault *why);
/* yes no true false on off 1 0 */
MUST_USE int text_bool(const char *text, bool *out, struct fault *why);
/* Octal, at most 0777. */
MUST_USE int text_mode(const char *text, unsigned *out, struct fault *why);
/* "1.2 s", "4 ms", "31 KiB": for people. They return `out`. */
const char *text_show_ms(int64_t ms, char *out, size_t out_size);
const char *text_show_bytes(int64_t bytes, char *out, size_t out_size);

/* How many single edits make one word of the other; beyond 3 it just says more than 3. */
size_t text_distance(const char *left, const char *right);

#endif
