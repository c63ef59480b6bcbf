/*
 * Keeps lines and prints them. Judges nothing.
 */
#include "cmd/checklist.h"

#include <stdarg.h>
#include <stdio.h>

enum { JSON_VERSION = 1 };

static const char *const marks[] = { "ok", "skipped", "FAIL" };

void checklist_add(struct checklist *list, const struct finding *finding, const char *format, ...)
{
    va_list arguments;

    if (list->count == CHECKLIST_MAX)
        return;
    struct check_line *line = &list->lines[list->count++];
    line->mark = finding->mark;
    line->name = finding->name;
    line->fix = finding->mark == MARK_OK ? NULL : finding->fix;
    va_start(arguments, format);
    vsnprintf(line->reason, sizeof line->reason, format, arguments);
    va_end(arguments);
    list->failed += finding->mark == MARK_FAIL;
}

void checklist_print(const struct checklist *list, struct page *page)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct check_line *line = &list->lines[i];
        page_add(page, "%-8s %-10s %s\n", marks[line->mark], line->name, line->reason);
        if (line->fix)
            page_add(page, "%-8s %-10s -> %s\n", "", "", line->fix);
    }
}

void checklist_json(const struct checklist *list, struct page *page)
{
    page_open(page, NULL, '{');
    page_number(page, "version", JSON_VERSION);
    page_bool(page, "ok", list->failed == 0);
    page_open(page, "lines", '[');
    for (size_t i = 0; i < list->count; i++) {
        const struct check_line *line = &list->lines[i];
        page_open(page, NULL, '{');
        page_text(page, "name", line->name);
        page_text(page, "result", marks[line->mark]);
        page_text(page, "reason", line->reason);
        page_text(page, "fix", line->fix ? line->fix : "");
        page_close(page, '}');
    }
    page_close(page, ']');
    page_close(page, '}');
    page_add(page, "\n");
}
