/*
 * Collects text and writes it in large pieces. Knows nothing of what it says.
 */
#include "base/page.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/fdio.h"

enum { PIECE_MAX = 2048 };

static void flush(struct page *page)
{
    if (page->error == 0 && fdio_write(page->fd, page->text, page->used) < 0)
        page->error = errno;
    page->used = 0;
}

void page_add(struct page *page, const char *format, ...)
{
    va_list arguments;

    if (sizeof page->text - page->used < PIECE_MAX)
        flush(page);
    va_start(arguments, format);
    int length = vsnprintf(page->text + page->used, PIECE_MAX, format, arguments);
    va_end(arguments);
    if (length > 0)
        page->used += length < PIECE_MAX ? (size_t)length : PIECE_MAX - 1;
}

static void put(struct page *page, char letter)
{
    if (page->used == sizeof page->text)
        flush(page);
    page->text[page->used++] = letter;
}

void page_put(struct page *page, const char *text)
{
    for (; *text != '\0'; text++)
        put(page, *text);
}

/* As JSON wants it: text_escape has made it printable, with \xNN for what was not. */
static void add_quoted(struct page *page, const char *value)
{
    char safe[PIECE_MAX / 2];

    escape_text(value, safe, sizeof safe);
    put(page, '"');
    for (const char *next = safe; *next != '\0'; next++) {
        if (*next == '"' || *next == '\\')
            put(page, '\\');
        put(page, *next);
    }
    put(page, '"');
}

static void add_name(struct page *page, const char *name)
{
    if (page->needs_comma)
        put(page, ',');
    page->needs_comma = true;
    if (name)
        page_add(page, "\"%s\":", name);
}

void page_open(struct page *page, const char *name, char bracket)
{
    add_name(page, name);
    put(page, bracket);
    page->needs_comma = false;
}

void page_close(struct page *page, char bracket)
{
    put(page, bracket);
    page->needs_comma = true;
}

void page_text(struct page *page, const char *name, const char *value)
{
    add_name(page, name);
    add_quoted(page, value);
}

void page_number(struct page *page, const char *name, int64_t value)
{
    add_name(page, name);
    page_add(page, "%lld", (long long)value);
}

void page_bool(struct page *page, const char *name, bool value)
{
    add_name(page, name);
    page_put(page, value ? "true" : "false");
}

int page_end(struct page *page)
{
    flush(page);
    errno = page->error;
    return page->error == 0 ? 0 : -1;
}
