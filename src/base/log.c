/*
 * The log: builds one line on the stack and hands it to the kernel in one write that never blocks.
 * Never changes descriptor 2, which the server shares; never allocates.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/fdio.h"

/* musl 1.2.3 knows neither the flag nor the call. */
#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

enum { MESSAGE_MAX = 2000, FIELD_MAX = 400 };

/* How a line leaves. */
enum way {
    WAY_NONE,   /* there is no stderr */
    WAY_SHARED, /* descriptor 2, each write asked not to wait */
    WAY_OWN,    /* where it can't be asked: stderr opened anew, without blocking */
    WAY_POLLED, /* where that can't be done either: only when poll says that there is room */
    WAY_SOCKET,
    WAY_FILE /* a file never waits for a reader */
};

static struct {
    enum way way;
    int fd;
    enum log_format format;
    enum log_level level;
    bool has_colour;
    unsigned long lost;
} state = { .way = WAY_SHARED, .fd = STDERR_FILENO, .level = LOG_INFO };

/* Text that grows to the right and is cut, never overrun. */
struct line {
    size_t used;
    char text[LOG_LINE_MAX + 1];
};

void log_open(bool wants_colour)
{
    struct stat st;

    if (fstat(STDERR_FILENO, &st) < 0) {
        state.way = WAY_NONE;
        return;
    }
    state.way = S_ISREG(st.st_mode) ? WAY_FILE : S_ISSOCK(st.st_mode) ? WAY_SOCKET : WAY_SHARED;
    state.has_colour = wants_colour && S_ISCHR(st.st_mode) && isatty(STDERR_FILENO);
}

void log_setup(enum log_format format, enum log_level level)
{
    state.format = format;
    state.level = level;
}

void log_share(void)
{
    if (state.way == WAY_OWN)
        state.way = WAY_POLLED;
}

bool log_wants(enum log_level level)
{
    return level <= state.level;
}

static ssize_t write_polled(const char *text, size_t length)
{
    struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };

    if (poll(&room, 1, 0) == 1 && (room.revents & POLLOUT))
        return write(STDERR_FILENO, text, length);
    errno = EAGAIN;
    return -1;
}

/* Terminals can't be asked not to wait, nor pipes before Linux 6.4. */
static ssize_t write_shared(const char *text, size_t length)
{
    struct iovec piece = { .iov_base = (void *)(size_t)text, .iov_len = length };

    ssize_t count = syscall(SYS_pwritev2, STDERR_FILENO, &piece, 1, -1L, -1L, RWF_NOWAIT);
    if (count >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL && errno != EPERM))
        return count;
    int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    state.way = fd < 0 ? WAY_POLLED : WAY_OWN;
    state.fd = fd;
    return fd < 0 ? write_polled(text, length) : write(fd, text, length);
}

static bool deliver(const char *text, size_t length)
{
    switch (state.way) {
    case WAY_NONE:
        return true;
    case WAY_OWN:
        return write(state.fd, text, length) >= 0;
    case WAY_SHARED:
        return write_shared(text, length) >= 0;
    case WAY_POLLED:
        return write_polled(text, length) >= 0;
    case WAY_SOCKET:
        return send(STDERR_FILENO, text, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    case WAY_FILE:
        return fdio_write(STDERR_FILENO, text, length) == 0;
    }
    return false;
}

static void append(struct line *line, const char *format, ...) PRINTF_LIKE(2, 3);

static void append(struct line *line, const char *format, ...)
{
    size_t room = sizeof line->text - line->used;
    va_list values;

    va_start(values, format);
    int length = vsnprintf(line->text + line->used, room, format, values);
    va_end(values);
    if (length > 0)
        line->used += (size_t)length < room ? (size_t)length : room - 1;
}

/* A quoted JSON string. `text` is escaped already, so only quotes and backslashes are left. */
static void append_quoted(struct line *line, const char *text)
{
    append(line, "\"");
    for (; *text != '\0' && line->used + 8 < sizeof line->text; text++) {
        if (*text == '"' || *text == '\\')
            line->text[line->used++] = '\\';
        line->text[line->used++] = *text;
    }
    line->text[line->used] = '\0';
    append(line, "\"");
}

static const char *level_name(enum log_level level)
{
    static const char *const names[] = { "error", "warning", "info", "debug", "trace" };

    return names[level];
}

static void build_json(struct line *line, enum log_level level, const char *event,
                       const struct log_field *fields, const char *message)
{
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    char value[FIELD_MAX];

    gmtime_r(&seconds, &utc);
    append(line,
           "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\",\"level\":\"%s\",\"event\":\"%s\"",
           utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
           (int)(now_ms % 1000), level_name(level), event);
    append(line, ",\"message\":");
    append_quoted(line, message);
    for (; fields && fields->name; fields++) {
        /* Twice, since every character may need a backslash. */
        if (line->used + 2 * FIELD_MAX + 100 > sizeof line->text)
            break;
        append(line, ",\"%s\":", fields->name);
        if (fields->text)
            append_quoted(line, escape_text(fields->text, value, sizeof value));
        else
            append(line, "%lld", (long long)fields->number);
    }
    append(line, "}");
}

/* The wording of info is the contract's; what is wrong says who says so. */
static void build_human(struct line *line, enum log_level level, const char *message)
{
    static const char *const colours[] = { "\033[31m", "\033[33m", "", "\033[2m", "\033[2m" };
    const char *colour = state.has_colour ? colours[level] : "";

    append(line, "%s", colour);
    if (level != LOG_INFO)
        append(line, "freshinit: %s: ", level_name(level));
    append(line, "%s%s", message, *colour != '\0' ? "\033[0m" : "");
}

static bool send_line(struct line *line)
{
    if (line->used >= sizeof line->text - 1)
        line->used = sizeof line->text - 2;
    line->text[line->used++] = '\n';
    return deliver(line->text, line->used);
}

static void tell_lost(void)
{
    struct line line;
    char message[80];
    struct log_field fields[] = { LOG_NUMBER("lines", state.lost), { NULL, NULL, 0 } };

    line.used = 0;
    snprintf(message, sizeof message, "%lu log lines were lost: nobody read them", state.lost);
    if (state.format == LOG_FORMAT_JSON)
        build_json(&line, LOG_WARN, "log.lost", fields, message);
    else
        build_human(&line, LOG_WARN, message);
    if (send_line(&line))
        state.lost = 0;
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
               const char *format, ...)
{
    char message[MESSAGE_MAX];
    char escaped[MESSAGE_MAX];
    struct line line;
    int error = errno;
    va_list values;

    if (level > state.level)
        return;
    line.used = 0;
    va_start(values, format);
    int length = vsnprintf(message, sizeof message, format, values);
    va_end(values);
    if (length >= (int)sizeof message)
        memcpy(message + sizeof message - 4, "...", 4);
    escape_text(message, escaped, sizeof escaped);
    if (state.format == LOG_FORMAT_JSON)
        build_json(&line, level, event, fields, escaped);
    else
        build_human(&line, level, escaped);
    if (state.lost > 0)
        tell_lost();
    /* While lines are owed, a later one may not overtake the count. */
    if (state.lost > 0 || !send_line(&line))
        state.lost++;
    errno = error;
}
