/*
 * Makes text from outside fit to be shown.
 */
#include "base/escape.h"

#include <stdio.h>
#include <string.h>

enum { DELETE = 0x7F };

/* How many bytes the UTF-8 character at `text` has; 0 when it is broken, cut or a control. */
static size_t utf8_length(const unsigned char *text)
{
    size_t length = text[0] < 0x80 ? 1 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;

    if (text[0] < 0x20 || text[0] == DELETE || (text[0] >= 0x80 && text[0] < 0xC2) ||
        text[0] > 0xF4)
        return 0;
    /* C1 controls are what some terminals obey like ESC. */
    if (text[0] == 0xC2 && text[1] < 0xA0)
        return 0;
    /* Longer than need be, half of a UTF-16 pair, or beyond the last character. */
    if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
        (text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F))
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

const char *escape_text(const char *text, char *out, size_t out_size)
{
    size_t used = 0;

    for (;;) {
        /* Nearly all text is plain. */
        while (*text >= ' ' && *text < DELETE && used + 1 < out_size)
            out[used++] = *text++;
        if (*text == '\0')
            break;
        size_t length = utf8_length((const unsigned char *)text);
        char escaped[8];
        const char *piece = text;
        size_t piece_length = length;
        if (length == 0) {
            snprintf(escaped, sizeof escaped, "\\x%02x", (unsigned char)*text);
            piece = escaped;
            piece_length = 4;
        }
        if (used + piece_length + 1 > out_size)
            break;
        memcpy(out + used, piece, piece_length);
        used += piece_length;
        text += length ? length : 1;
    }
    out[used] = '\0';
    return out;
}
