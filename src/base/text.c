/*
 * Words to values, and values to words. Each refusal says what would be right.
 */
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool text_is_space(char c)
{
    return c == ' ' || c == '\t';
}

bool text_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits; NULL when there are none or too many. */
static const char *read_digits(const char *text, int64_t *out)
{
    int64_t value = 0;
    const char *next = text;

    for (; text_is_digit(*next); next++) {
        if (value > (INT64_MAX - 9) / 10)
            return NULL;
        value = value * 10 + (*next - '0');
    }
    *out = value;
    return next == text ? NULL : next;
}

int text_number(const char *text, int64_t least, int64_t most, int64_t *out, struct fault *why)
{
    int64_t value = 0;
    const char *end = read_digits(text, &value);

    if (!end || *end != '\0' || value < least || value > most)
        return fault_set(why, "\"%s\" is no number from %lld to %lld", text, (long long)least,
                         (long long)most);
    *out = value;
    return 0;
}

static int64_t duration_unit(const char **text)
{
    const char *unit = *text;

    *text += *unit == '\0' ? 0 : unit[0] == 'm' && unit[1] == 's' ? 2 : 1;
    switch (*unit) {
    case '\0':
    case 's':
        return 1000;
    case 'm':
        return unit[1] == 's' ? 1 : 60000;
    case 'h':
        return 3600000;
    default:
        return 0;
    }
}

int text_duration(const char *text, int64_t *out_ms, struct fault *why)
{
    const int64_t most = 1000LL * 3600000;
    int64_t total = 0;
    const char *next = text;

    do {
        int64_t value;
        next = read_digits(next, &value);
        int64_t unit = next ? duration_unit(&next) : 0;
        if (unit == 0 || value > most / unit || (total += value * unit) > most)
            return fault_set(why, "\"%s\" is no time: write 500ms, 30s, 5m or 1h30m", text);
    } while (*next != '\0');
    *out_ms = total;
    return 0;
}

int text_size(const char *text, int64_t *out_bytes, struct fault *why)
{
    int64_t value = 0;
    int shift = 0;
    const char *end = read_digits(text, &value);

    if (end && *end != '\0') {
        const char *unit = strchr("KMG", *end);
        shift = unit ? 10 * ((int)(unit - "KMG") + 1) : 0;
        end = unit ? end + 1 : NULL;
    }
    if (!end || *end != '\0' || value > (INT64_MAX >> 31))
        return fault_set(why, "\"%s\" is no size: write 4096, 64K, 10M or 2G", text);
    *out_bytes = value << shift;
    return 0;
}

int text_bool(const char *text, bool *out, struct fault *why)
{
    static const char *const yes[] = { "yes", "true", "on", "1" };
    static const char *const no[] = { "no", "false", "off", "0" };

    for (size_t i = 0; i < COUNT(yes); i++) {
        bool is_yes = strcasecmp(text, yes[i]) == 0;
        if (is_yes || strcasecmp(text, no[i]) == 0) {
            *out = is_yes;
            return 0;
        }
    }
    return fault_set(why, "\"%s\" is neither yes nor no", text);
}

int text_mode(const char *text, unsigned *out, struct fault *why)
{
    unsigned value = 0;
    const char *next = text;

    for (; *next >= '0' && *next <= '7' && value <= 0777; next++)
        value = value * 8 + (unsigned)(*next - '0');
    if (next == text || *next != '\0' || value > 0777)
        return fault_set(why, "\"%s\" is no mode: write it in octal, like 027", text);
    *out = value;
    return 0;
}

const char *text_show_ms(int64_t ms, char *out, size_t out_size)
{
    if (ms < 1000)
        snprintf(out, out_size, "%lld ms", (long long)ms);
    else if (ms < 60000 && ms % 1000 < 100)
        snprintf(out, out_size, "%lld s", (long long)(ms / 1000));
    else if (ms < 60000)
        snprintf(out, out_size, "%lld.%lld s", (long long)(ms / 1000),
                 (long long)(ms % 1000 / 100));
    else
        snprintf(out, out_size, "%lld min %lld s", (long long)(ms / 60000),
                 (long long)(ms % 60000 / 1000));
    return out;
}

const char *text_show_bytes(int64_t bytes, char *out, size_t out_size)
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
    int64_t tenths = bytes * 10;
    size_t unit = 0;

    if (bytes > INT64_MAX / 10)
        tenths = INT64_MAX;
    for (; tenths >= 10240 && unit + 1 < COUNT(units); unit++)
        tenths /= 1024;
    /* "31 KiB" but "1.5 MiB": a tenth matters only in small numbers. */
    if (unit > 0 && tenths < 100)
        snprintf(out, out_size, "%lld.%lld %s", (long long)(tenths / 10), (long long)(tenths % 10),
                 units[unit]);
    else
        snprintf(out, out_size, "%lld %s", (long long)(tenths / 10), units[unit]);
    return out;
}

size_t text_distance(const char *left, const char *right)
{
    enum { WORD_MAX = 63, FAR = 4 };
    unsigned char row[WORD_MAX + 1];
    size_t width = strlen(right);

    if (width > WORD_MAX || strlen(left) > WORD_MAX)
        return FAR;
    for (size_t i = 0; i <= width; i++)
        row[i] = (unsigned char)i;
    for (size_t i = 0; left[i] != '\0'; i++) {
        unsigned char diagonal = row[0];
        row[0] = (unsigned char)(i + 1);
        for (size_t j = 0; j < width; j++) {
            unsigned char above = row[j + 1];
            unsigned best = diagonal + (left[i] != right[j] ? 1U : 0U);
            if (above + 1U < best)
                best = above + 1U;
            if (row[j] + 1U < best)
                best = row[j] + 1U;
            row[j + 1] = (unsigned char)best;
            diagonal = above;
        }
    }
    return row[width] > FAR ? FAR : row[width];
}
