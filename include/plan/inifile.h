/* The ini file, line by line through our own reader, so that each fault names its line. */
#ifndef PLAN_INIFILE_H
#define PLAN_INIFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/attr.h"
#include "base/fault.h"

enum {
    INIFILE_SIZE_MAX = 128 * 1024, /* all of it is kept in the arena */
    INIFILE_LINE_MAX = 4096,
    INIFILE_SECTION_MAX = 49 /* more is cut by inih, in silence */
};

/* What is told while a file is read. `context` is the reader's. Texts of `section` are valid during
 * the call only, `value` stays. */
struct inifile_handler {
    void (*section)(void *context, const char *section, int line);
    void (*value)(void *context, const char *key, const char *value, int line);
    void *context;
};

struct inifile {
    const char *name; /* for faults */
    const char *text; /* may hold any byte */
    size_t length;
    uint64_t inode; /* what the file was when it was read */
    struct timespec changed;
};

/* The whole file, in the arena. `is_found`: nobody named it, so for root it must be one that only
 * root may write. Returns 1 when there is no such file. Never waits for a FIFO. */
MUST_USE int inifile_load(const char *path, bool is_found, struct inifile *out, struct fault *why);

/* Tells all that is in the file. Each bad line is a fault that begins with the file's name and the
 * line's number, and is passed over. */
void inifile_parse(const struct inifile *file, const struct inifile_handler *handler,
                   struct fault *why);

#endif
