/*
 * Collects the lines that say why something failed. Never prints while it collects, never
 * allocates.
 */
#include "base/fault.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/exitcode.h"
#include "base/log.h"

enum { LINE_MAX_SIZE = 1000 };

void fault_clear(struct fault *why)
{
    why->exit_code = EXIT_OURS;
    why->count = 0;
    why->kept = 0;
    why->used = 0;
    why->text[0] = '\0';
}

static void add_line(struct fault *why, const char *line)
{
    why->count++;
    if (why->kept == FAULT_LINES_MAX || why->used + strlen(line) + 2 > sizeof why->text)
        return;
    size_t room = sizeof why->text - why->used - 1;
    escape_text(line, why->text + why->used, room);
    why->used += strlen(why->text + why->used) + 1;
    why->kept++;
}

int fault_set(struct fault *why, const char *format, ...)
{
    char line[LINE_MAX_SIZE];
    va_list values;

    va_start(values, format);
    vsnprintf(line, sizeof line, format, values);
    va_end(values);
    add_line(why, line);
    return -1;
}

int fault_errno(struct fault *why, const char *format, ...)
{
    int error = errno;
    char line[LINE_MAX_SIZE];
    va_list values;

    va_start(values, format);
    vsnprintf(line, sizeof line, format, values);
    va_end(values);
    size_t used = strlen(line);
    snprintf(line + used, sizeof line - used, ": %s", strerror(error));
    add_line(why, line);
    return -1;
}

void fault_code(struct fault *why, int exit_code)
{
    why->exit_code = exit_code;
}

const char *fault_line(const struct fault *why, size_t index)
{
    const char *line = why->text;

    if (index >= why->kept)
        return NULL;
    while (index-- > 0)
        line += strlen(line) + 1;
    return line;
}

/* The line of a configuration in "freshinit.ini:12: ..."; 0 where there is none. */
static unsigned long place_of(const struct fault *why, size_t index)
{
    const char *colon = why->exit_code == EXIT_CONFIG ? fault_line(why, index) : NULL;

    for (; colon && (colon = strchr(colon, ':')); colon++) {
        size_t digits = strspn(colon + 1, "0123456789");
        if (digits > 0 && colon[1 + digits] == ':')
            return strtoul(colon + 1, NULL, 10);
    }
    return 0;
}

/* In the order of the file, whoever has found them. */
int fault_report(const struct fault *why)
{
    unsigned long next = 0;

    for (size_t told = 0; told < why->kept;) {
        unsigned long later = ULONG_MAX;
        for (size_t i = 0; i < why->kept; i++) {
            unsigned long place = place_of(why, i);
            if (place > next && place < later)
                later = place;
            if (place != next)
                continue;
            log_event(LOG_ERROR, "fault", LOG_NONE, "%s", fault_line(why, i));
            told++;
        }
        next = later;
    }
    if (why->count > why->kept)
        log_event(LOG_ERROR, "fault", LOG_NONE, "and %zu more", why->count - why->kept);
    return why->exit_code;
}
