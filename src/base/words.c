/*
 * Splits text into words as a shell would, without a shell.
 */
#include "base/words.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"

/* Copies one word without its quotes to `out`; what follows it, or NULL when a quote stays open. */
static const char *split_word(const char *text, char *out, size_t *out_length)
{
    char quote = '\0';
    size_t length = 0;

    for (;; text++) {
        /* Above the quotes all is plain but the backslash. */
        while (*text > '\'' && *text != '\\')
            out[length++] = *text++;
        if (*text == '\0' || (quote == '\0' && text_is_space(*text)))
            break;
        if (quote == '\0' ? *text == '"' || *text == '\'' : *text == quote) {
            quote = quote == '\0' ? *text : '\0';
            continue;
        }
        if (*text == '\\' && quote != '\'' && text[1] != '\0')
            text++;
        out[length++] = *text;
    }
    out[length] = '\0';
    *out_length = length;
    return quote == '\0' ? text : NULL;
}

int words_split(const char *text, struct words *out, struct fault *why)
{
    /* Every second character is a space at most. */
    size_t size = strlen(text);
    size_t most = size / 2 + 2;
    char **items = arena_take(most * sizeof *items);
    char *room = arena_take(size + most);
    size_t count = 0;
    const char *next = text;

    for (;;) {
        size_t length;
        while (text_is_space(*next))
            next++;
        if (*next == '\0')
            break;
        items[count++] = room;
        next = split_word(next, room, &length);
        if (!next)
            return fault_set(why, "has a quote that is not closed: %s", text);
        room += length + 1;
    }
    *out = (struct words){ .items = items, .count = count };
    return 0;
}
