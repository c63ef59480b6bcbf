/*
 * Text from a format: what snprintf and vsnprintf do, for the conversions used here (%s %c %d %i %u
 * %x %o %%, with the flags - and 0, a width, a precision for %s, and the lengths l ll z). The
 * static build takes it in their place, since libc's brings 12 KB of floating point and wide text.
 */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"

/* They return the length that the whole text has; `out` gets what fits, always ended. */
int format_text(char *out, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
int format_values(char *out, size_t size, const char *format, va_list values) PRINTF_LIKE(3, 0);

#endif
