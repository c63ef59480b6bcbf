/* Patterns of names: read, refused, matched. Knows no file system. */
#include "stage/pattern.h"

#include <stdint.h>
#include <string.h>

/* No cache is ever called so. */
static const char *const source_endings[] = { ".py",   ".html", ".js",  ".ts", ".css",    ".json",
                                              ".toml", ".ini",  ".sql", ".db", ".sqlite3" };

/* The length of one token of a glob: a bracket expression or a single character. */
static size_t token_length(const char *glob, size_t length)
{
    if (*glob != '[')
        return 1;
    size_t i = 1;
    if (i < length && (glob[i] == '!' || glob[i] == '^'))
        i++;
    if (i < length && glob[i] == ']')
        i++;
    while (i < length && glob[i] != ']')
        i++;
    /* Without an end it is a plain bracket. */
    return i < length ? i + 1 : 1;
}

static bool token_matches(const char *token, size_t length, char found)
{
    if (length == 1)
        return *token == '?' || *token == found;
    size_t i = 1;
    bool is_inverse = token[i] == '!' || token[i] == '^';
    bool is_in = false;
    if (is_inverse)
        i++;
    for (; i < length - 1; i++) {
        unsigned char low = (unsigned char)token[i];
        unsigned char high = low;
        if (i + 2 < length - 1 && token[i + 1] == '-') {
            high = (unsigned char)token[i + 2];
            i += 2;
        }
        is_in |= (unsigned char)found >= low && (unsigned char)found <= high;
    }
    return is_in != is_inverse;
}

bool pattern_glob(const char *pattern, size_t length, const char *text, size_t text_length)
{
    size_t at = 0;
    size_t in = 0;
    size_t star = SIZE_MAX;
    size_t star_in = 0;

    while (in < text_length) {
        size_t token = at < length ? token_length(pattern + at, length - at) : 0;
        if (token > 0 && pattern[at] == '*') {
            star = at++;
            star_in = in;
        } else if (token > 0 && token_matches(pattern + at, token, text[in])) {
            at += token;
            in++;
        } else if (star != SIZE_MAX) {
            at = star + 1;
            in = ++star_in;
        } else {
            return false;
        }
    }
    while (at < length && pattern[at] == '*')
        at++;
    return at == length;
}

bool pattern_has_wildcard(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '*' || text[i] == '?' || text[i] == '[')
            return true;
    }
    return false;
}

static int check_components(const char *word, struct fault *why)
{
    const char *at = word;

    if (*word == '\0')
        return fault_set(why, "an empty pattern");
    if (*word == '/')
        return fault_set(why,
                         "pattern \"%s\" begins with a slash; patterns hold anywhere below the "
                         "roots, `in` says where",
                         word);
    if (*word == '!')
        return fault_set(why, "pattern \"%s\": there is no \"!\"; use `exclude`", word);
    while (*at != '\0') {
        size_t length = strcspn(at, "/");
        if (length == 0)
            return fault_set(why, "pattern \"%s\" has an empty component", word);
        if ((length == 1 && *at == '.') || (length == 2 && memcmp(at, "..", 2) == 0) ||
            (length == 2 && memcmp(at, "**", 2) == 0))
            return fault_set(why, "pattern \"%s\": \"%.*s\" is not a name", word, (int)length, at);
        at += length;
        if (*at == '/')
            at++;
    }
    return 0;
}

int pattern_read(const char *word, bool is_exclude, struct pattern *out, struct fault *why)
{
    if (check_components(word, why) < 0)
        return -1;
    size_t length = strlen(word);
    struct pattern made = { .of = is_exclude ? PATTERN_EITHER : PATTERN_FILE };
    if (word[length - 1] == '/') {
        made.of = PATTERN_FOLDER;
        length--;
    }
    made.text = word;
    made.length = length;
    for (size_t i = length; i-- > 0;) {
        if (word[i] != '/')
            continue;
        made.before = word;
        made.before_length = i;
        made.text = word + i + 1;
        made.length = length - i - 1;
        break;
    }
    if (!pattern_has_wildcard(made.text, made.length))
        made.how = PATTERN_EXACT;
    else if (made.text[0] == '*' && !pattern_has_wildcard(made.text + 1, made.length - 1))
        made.how = PATTERN_SUFFIX;
    else
        made.how = PATTERN_GLOB;
    *out = made;
    return 0;
}

/* Could any name that ends so be matched? A `*` can stand for whatever is before the ending, so it
 * is enough that some end of the pattern matches the ending alone. */
static bool reaches(const struct pattern *pattern, const char *ending)
{
    for (size_t i = 0; i < pattern->length;) {
        if (pattern_glob(pattern->text + i, pattern->length - i, ending, strlen(ending)))
            return true;
        i += token_length(pattern->text + i, pattern->length - i);
    }
    return false;
}

int pattern_check_clear(const char *word, struct fault *why)
{
    struct pattern pattern;
    bool has_literal = false;

    if (pattern_read(word, false, &pattern, why) < 0)
        return -1;
    for (size_t i = 0; i < pattern.length;) {
        size_t token = token_length(pattern.text + i, pattern.length - i);
        has_literal |= token == 1 && !strchr("*?.", pattern.text[i]);
        i += token;
    }
    if (!has_literal)
        return fault_set(why, "pattern \"%s\" has no letter in it and would remove everything",
                         word);
    if (pattern.of == PATTERN_FOLDER)
        return 0;
    for (size_t i = 0; i < COUNT(source_endings); i++) {
        if (reaches(&pattern, source_endings[i]))
            return fault_set(why, "pattern \"%s\" would remove source or data (*%s)", word,
                             source_endings[i]);
    }
    return 0;
}

static bool name_matches(const struct pattern *pattern, const char *name, size_t length)
{
    switch (pattern->how) {
    case PATTERN_EXACT:
        return length == pattern->length && memcmp(name, pattern->text, length) == 0;
    case PATTERN_SUFFIX:
        return length >= pattern->length - 1 && memcmp(name + length - (pattern->length - 1),
                                                       pattern->text + 1, pattern->length - 1) == 0;
    case PATTERN_GLOB:
        break;
    }
    return pattern_glob(pattern->text, pattern->length, name, length);
}

/* Component by component from the end of the path. */
static bool ends_with(const char *path, const char *before, size_t before_length)
{
    size_t path_length = strlen(path);

    while (before_length > 0) {
        size_t want = before_length;
        size_t have = path_length;
        while (want > 0 && before[want - 1] != '/')
            want--;
        while (have > 0 && path[have - 1] != '/')
            have--;
        if (path_length == have ||
            !pattern_glob(before + want, before_length - want, path + have, path_length - have))
            return false;
        before_length = want > 0 ? want - 1 : 0;
        path_length = have > 0 ? have - 1 : 0;
    }
    return true;
}

bool pattern_matches(const struct pattern *pattern, enum pattern_of of, const char *name,
                     size_t name_length, const char *path)
{
    if (!(pattern->of & of) || !name_matches(pattern, name, name_length))
        return false;
    return !pattern->before || ends_with(path, pattern->before, pattern->before_length);
}
