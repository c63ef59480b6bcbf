/*
 * Text from a format. Knows no floating point, no locale and no stream; never allocates.
 */
#include "base/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Counts what finds no room, too. */
struct sink {
    char *out;
    size_t size;
    size_t used;
};

/* One conversion. */
struct piece {
    bool is_left;
    bool has_zeros;
    size_t width;
    size_t most; /* of %s */
    char kind;
};

/* A va_list that can be handed on and comes back advanced. */
struct values {
    va_list list;
};

static void put(struct sink *sink, const char *text, size_t length)
{
    size_t room = sink->used < sink->size ? sink->size - sink->used : 0;

    if (room > 0)
        memcpy(sink->out + sink->used, text, length < room ? length : room);
    sink->used += length;
}

static void put_filled(struct sink *sink, const struct piece *piece, const char *text,
                       size_t length)
{
    size_t fill = piece->width > length ? piece->width - length : 0;

    if (piece->is_left)
        put(sink, text, length);
    for (; fill > 0; fill--)
        put(sink, piece->has_zeros ? "0" : " ", 1);
    if (!piece->is_left)
        put(sink, text, length);
}

static void put_number(struct sink *sink, struct piece *piece, uint64_t number, bool is_negative)
{
    char digits[24];
    char *end = digits + sizeof digits;
    char *start = end;
    unsigned base = piece->kind == 'x' ? 16 : piece->kind == 'o' ? 8 : 10;

    do
        *--start = "0123456789abcdef"[number % base];
    while ((number /= base) > 0);
    if (is_negative && piece->has_zeros) {
        put(sink, "-", 1);
        piece->width -= piece->width > 0;
    } else if (is_negative) {
        *--start = '-';
    }
    put_filled(sink, piece, start, (size_t)(end - start));
}

/* Digits or a star. */
static size_t read_size(const char **format, struct values *values)
{
    size_t size = 0;

    if (**format == '*') {
        int given = va_arg(values->list, int);
        (*format)++;
        return given > 0 ? (size_t)given : 0;
    }
    for (; **format >= '0' && **format <= '9'; (*format)++)
        size = size * 10 + (size_t)(**format - '0');
    return size;
}

static void convert(struct sink *sink, struct piece *piece, bool is_long, struct values *values)
{
    bool is_signed = piece->kind == 'd' || piece->kind == 'i';

    if (piece->kind == 's') {
        const char *text = va_arg(values->list, const char *);
        text = text ? text : "(null)";
        put_filled(sink, piece, text, strnlen(text, piece->most));
    } else if (piece->kind == 'c') {
        char letter = (char)va_arg(values->list, int);
        put_filled(sink, piece, &letter, 1);
    } else if (piece->kind == '%') {
        put(sink, "%", 1);
    } else if (is_signed) {
        int64_t number = is_long ? va_arg(values->list, int64_t) : va_arg(values->list, int);
        uint64_t size = (uint64_t)number;
        put_number(sink, piece, number < 0 ? 0 - size : size, number < 0);
    } else {
        put_number(sink, piece,
                   is_long ? va_arg(values->list, uint64_t) : va_arg(values->list, unsigned),
                   false);
    }
}

int format_values(char *out, size_t size, const char *format, va_list list)
{
    struct sink sink = { .out = out, .size = size };
    struct values values;

    /* On every machine that has this program these are 64 bits. */
    _Static_assert(sizeof(long) == 8 && sizeof(size_t) == 8, "l and z are as long as ll");
    va_copy(values.list, list);
    while (*format != '\0') {
        size_t plain = strcspn(format, "%");
        put(&sink, format, plain);
        format += plain;
        if (*format == '\0')
            break;
        struct piece piece = { .most = SIZE_MAX };
        for (format++; *format == '-' || *format == '0'; format++)
            *(*format == '-' ? &piece.is_left : &piece.has_zeros) = true;
        piece.width = read_size(&format, &values);
        if (*format == '.') {
            format++;
            piece.most = read_size(&format, &values);
        }
        bool is_long = *format == 'l' || *format == 'z';
        while (*format == 'l' || *format == 'z')
            format++;
        piece.kind = *format;
        format += *format != '\0';
        convert(&sink, &piece, is_long, &values);
    }
    va_end(values.list);
    if (size > 0)
        out[sink.used < size ? sink.used : size - 1] = '\0';
    return (int)sink.used;
}

int format_text(char *out, size_t size, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    int length = format_values(out, size, format, values);
    va_end(values);
    return length;
}
