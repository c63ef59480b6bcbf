/* Text for standard output, in pieces: for people, or as JSON. */
#ifndef BASE_PAGE_H
#define BASE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct page {
    int fd;
    int error;        /* of the first write that failed; what follows is dropped */
    bool needs_comma; /* JSON: before the next item */
    size_t used;
    char text[4096];
};

/* Pieces of up to 2 KB; text of any length. */
void page_add(struct page *page, const char *format, ...) PRINTF_LIKE(2, 3);
void page_put(struct page *page, const char *text);

/* JSON. `name` is NULL within a list; `bracket` is one of { [ } ]. */
void page_open(struct page *page, const char *name, char bracket);
void page_close(struct page *page, char bracket);
void page_text(struct page *page, const char *name, const char *value);
void page_number(struct page *page, const char *name, int64_t value);
void page_bool(struct page *page, const char *name, bool value);

/* What is left. -1 with errno when not all could be written. */
MUST_USE int page_end(struct page *page);

#endif
