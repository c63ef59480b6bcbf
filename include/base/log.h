/*
 * One event, one line, one write that never blocks. For people by default, as JSON on request.
 * Everything goes to stderr, without changing the descriptor, which the server shares. A line that
 * nobody reads is dropped and counted; the count is told with the next line that gets through.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };
enum log_format { LOG_FORMAT_HUMAN, LOG_FORMAT_JSON };

/* Longer lines are cut, with "..." at the end. Under PIPE_BUF, so that lines never mix. */
enum { LOG_LINE_MAX = 4000 };

/* Either text or, where text is NULL, number. */
struct log_field {
    const char *name;
    const char *text;
    int64_t number;
};

#define LOG_TEXT(name, value)                                                                      \
    {                                                                                              \
        (name), (value), 0                                                                         \
    }
#define LOG_NUMBER(name, value)                                                                    \
    {                                                                                              \
        (name), NULL, (int64_t)(value)                                                             \
    }
/* The list of an event's fields; LOG_NONE where the sentence says it all. */
#define LOG_FIELDS(...) ((const struct log_field[]){ __VA_ARGS__, { NULL, NULL, 0 } })
#define LOG_NONE ((const struct log_field *)NULL)

/* Chooses the way to write without blocking. Before it, and until log_setup, the defaults hold:
 * people, LOG_INFO. A child made by fork goes on as its parent did. */
void log_open(bool wants_colour);
void log_setup(enum log_format format, enum log_level level);
bool log_wants(enum log_level level);

/* In a child that needs the numbers of our descriptors: writes to stderr itself from now on. */
void log_share(void);

/* `event` is a name like "stage.done", and with its fields a contract; the sentence is for
 * people. */
void log_event(enum log_level level, const char *event, const struct log_field *fields,
               const char *format, ...) PRINTF_LIKE(4, 5);

#endif
