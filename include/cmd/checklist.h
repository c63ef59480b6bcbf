/* The lines of verify: what was looked at, what came of it, and how to mend it. */
#ifndef CMD_CHECKLIST_H
#define CMD_CHECKLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/page.h"

enum mark { MARK_OK, MARK_SKIPPED, MARK_FAIL };

enum { CHECKLIST_MAX = 24, CHECKLIST_REASON_SIZE = 1400 };

struct checklist {
    size_t count;
    size_t failed;
    struct check_line {
        enum mark mark;
        const char *name;
        const char *fix; /* NULL: nothing is to be done */
        char reason[CHECKLIST_REASON_SIZE];
    } lines[CHECKLIST_MAX];
};

/* What is to be said of it; `fix` is kept. */
struct finding {
    enum mark mark;
    const char *name;
    const char *fix;
};
void checklist_add(struct checklist *list, const struct finding *finding, const char *format, ...)
    PRINTF_LIKE(3, 4);

void checklist_print(const struct checklist *list, struct page *page);
void checklist_json(const struct checklist *list, struct page *page);

#endif
