/*
 * Splits text into words as a shell would, without a shell.
 */
#include "base/words.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Copies one word without its quotes to `out`; what follows it, or NULL when a quote stays open. */
static const char *split_word(const char *text, char *out, size_t *out_length)
{
    char quote = '\0';
    size_t length = 0;

    for (; *text != '\0' && (quote != '\0' || !is_space(*text)); text++) {
        if (quote == '\0' && (*text == '"' || *text == '\''))
            quote = *text;
        else if (*text == quote)
            quote = '\0';
        else if (*text == '\\' && quote != '\'' && text[1] != '\0')
            out[length++] = *++text;
        else
            out[length++] = *text;
    }
    out[length] = '\0';
    *out_length = length;
    return quote == '\0' ? text : NULL;
}

int words_split(const char *text, struct words *out, struct fault *why)
{
    /* Every second character is a space at most. */
    size_t most = strlen(text) / 2 + 2;
    char **items = arena_take(most * sizeof *items);
    char *room = arena_take(strlen(text) + most);
    size_t count = 0;
    const char *next = text;

    for (;;) {
        size_t length;
        while (is_space(*next))
            next++;
        if (*next == '\0')
            break;
        items[count++] = room;
        next = split_word(next, room, &length);
        if (!next)
            return fault_set(why, "a quote is not closed: %s", text);
        room += length + 1;
    }
    *out = (struct words){ .items = items, .count = count };
    return 0;
}
