/*
 * Puts variables into values. Knows nothing of what the value is for.
 */
#include "plan/expand.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"

enum { DEPTH_MAX = 8 };

/* Where the text goes; with no room it is only measured. */
struct sink {
    const struct expand *expand;
    char *room;
    size_t length;
};

static bool is_name_character(char c, bool is_first)
{
    return text_is_letter(c) || c == '_' || (!is_first && text_is_digit(c));
}

static void sink_add(struct sink *sink, const char *text, size_t length)
{
    if (sink->room)
        memcpy(sink->room + sink->length, text, length);
    sink->length += length;
}

size_t expand_find(char *const *environment, const char *name, size_t length)
{
    size_t at = 0;

    /* Nearly every one differs in its first letter. */
    while (environment[at] &&
           (environment[at][0] != name[0] || strncmp(environment[at], name, length) != 0 ||
            environment[at][length] != '='))
        at++;
    return at;
}

const char *expand_lookup(char *const *environment, const char *name, size_t length)
{
    const char *variable = environment[expand_find(environment, name, length)];

    return variable ? variable + length + 1 : NULL;
}

static const char *value_of(const struct expand *expand, const char *name, size_t length)
{
    static const char release[] = "FRESHINIT_RELEASE";

    if (expand->release && length == sizeof release - 1 && memcmp(name, release, length) == 0)
        return expand->release;
    return expand_lookup(expand->environment, name, length);
}

/* The brace that closes the one before `text`, or NULL. */
static const char *closing_brace(const char *text)
{
    int depth = 1;

    for (; *text != '\0'; text++) {
        if (text[0] == '$' && text[1] == '{')
            depth++;
        else if (*text == '}' && --depth == 0)
            return text;
    }
    return NULL;
}

static int put(struct sink *sink, const char *text, const char *end, int depth, struct fault *why);

/* `name` is behind "${", `close` at its brace. */
static int put_variable(struct sink *sink, const char *name, const char *close, int depth,
                        struct fault *why)
{
    const char *name_end = name;

    while (name_end < close && is_name_character(*name_end, name_end == name))
        name_end++;
    bool has_default = close - name_end >= 2 && name_end[0] == ':' && name_end[1] == '-';
    if (name_end == name || (name_end != close && !has_default))
        return fault_set(why, "\"%.*s\" is not ${NAME} or ${NAME:-default}; a dollar is $$",
                         (int)(close - name) + 3, name - 2);
    const char *value = value_of(sink->expand, name, (size_t)(name_end - name));
    if (has_default && (!value || *value == '\0'))
        return put(sink, name_end + 2, close, depth + 1, why);
    if (!value)
        return fault_set(why, "\"${%.*s}\" is not set; ${%.*s:-} stands for nothing then",
                         (int)(name_end - name), name, (int)(name_end - name), name);
    sink_add(sink, value, strlen(value));
    return 0;
}

static int put(struct sink *sink, const char *text, const char *end, int depth, struct fault *why)
{
    if (depth > DEPTH_MAX)
        return fault_set(why, "${...} within ${...} more than %d deep", DEPTH_MAX);
    while (text < end) {
        const char *dollar = memchr(text, '$', (size_t)(end - text));
        if (!dollar)
            dollar = end;
        sink_add(sink, text, (size_t)(dollar - text));
        if (dollar == end)
            return 0;
        text = dollar + 1;
        if (text < end && *text == '{') {
            const char *close = closing_brace(text + 1);
            if (!close)
                return fault_set(why, "\"%.40s\" has no closing brace; a dollar is $$", dollar);
            if (put_variable(sink, text + 1, close, depth, why) < 0)
                return -1;
            text = close + 1;
            continue;
        }
        sink_add(sink, "$", 1);
        if (text < end && *text == '$')
            text++;
    }
    return 0;
}

int expand_text(struct expand *expand, const char *text, const char **out, struct fault *why)
{
    struct sink sink = { .expand = expand, .length = strcspn(text, "$") };
    const char *end = text + sink.length;
    bool is_plain = *end == '\0';

    if (!is_plain) {
        end += strlen(end);
        sink.length = 0;
        if (put(&sink, text, end, 0, why) < 0)
            return -1;
    }
    if (sink.length > EXPAND_TOTAL_MAX - expand->used)
        return fault_set(why, "with this value all values together are over %d bytes",
                         EXPAND_TOTAL_MAX);
    expand->used += sink.length;
    *out = text;
    if (is_plain)
        return 0;
    char *room = arena_take(sink.length + 1);
    sink = (struct sink){ .expand = expand, .room = room };
    *out = room;
    return put(&sink, text, end, 0, why);
}
