/*
 * Converts the text of a key to the type of its row. Knows types, no single key.
 */
#include "plan/values.h"

#include <stdio.h>
#include <string.h>

#include "base/signame.h"
#include "base/text.h"
#include "base/words.h"
#include "plan/guess.h"
#include "plan/plan.h"
#include "plan/users.h"

enum { EXIT_STATUS_MAX = 255, WORD_SIZE = 32 };

static int unknown_choice(const char *choices, const char *text, size_t length, struct fault *why)
{
    char hint[GUESS_TEXT_SIZE];
    char wanted[WORD_SIZE];
    char word[WORD_SIZE];
    struct guess guess;

    snprintf(wanted, sizeof wanted, "%.*s", (int)length, text);
    guess_start(&guess, wanted);
    for (const char *next = choices; *next != '\0'; next += strspn(next, " ")) {
        size_t word_length = strcspn(next, " ");
        snprintf(word, sizeof word, "%.*s", (int)word_length, next);
        guess_offer(&guess, word);
        next += word_length;
    }
    return fault_set(why, "\"%.*s\" is none of: %s%s", (int)length, text, choices,
                     guess_text(&guess, hint));
}

/* The place of a word among choices, or -1 with a fault. */
static int choice_number(const char *choices, const char *text, size_t length, struct fault *why)
{
    const char *next = choices;

    for (int number = 0; *next != '\0'; number++) {
        size_t same = 0;
        while (same < length && next[same] == text[same])
            same++;
        if (same == length && (next[same] == ' ' || next[same] == '\0'))
            return number;
        while (*next != '\0' && *next++ != ' ')
            continue;
    }
    return unknown_choice(choices, text, length, why);
}

static int set_choice(const struct key *key, void *place, const char *text, struct fault *why)
{
    int number = choice_number(key->choices, text, strlen(text), why);
    unsigned value = (unsigned)number;

    if (number < 0)
        return -1;
    memcpy(place, &value, sizeof value);
    return 0;
}

static int set_set(const struct key *key, unsigned *out, const char *text, struct fault *why)
{
    unsigned bits = 0;

    for (text += strspn(text, " \t"); *text != '\0'; text += strspn(text, " \t")) {
        size_t length = strcspn(text, " \t");
        int number = choice_number(key->choices, text, length, why);
        if (number < 0)
            return -1;
        bits |= 1U << number;
        text += length;
    }
    if (bits == 0)
        return fault_set(why, "is empty: write one or more of: %s", key->choices);
    *out = bits;
    return 0;
}

static int set_statuses(bool *codes, const char *text, struct fault *why)
{
    struct words words;

    if (words_split(text, &words, why) < 0)
        return -1;
    memset(codes, 0, EXIT_STATUS_MAX + 1);
    for (size_t i = 0; i < words.count; i++) {
        int64_t code;
        if (text_number(words.items[i], 0, EXIT_STATUS_MAX, &code, why) < 0)
            return -1;
        codes[code] = true;
    }
    codes[0] = true;
    return 0;
}

static int set_signal(int *out, const char *text, struct fault *why)
{
    *out = strcmp(text, "auto") == 0 ? 0 : signame_number(text);
    if (*out == 0 && strcmp(text, "auto") != 0)
        return fault_set(why, "\"%s\" is no signal: write TERM, QUIT, 15 or auto", text);
    return 0;
}

static int set_auto(int64_t *out, const char *text, struct fault *why)
{
    if (strcmp(text, "auto") != 0)
        return text_duration(text, out, why);
    *out = -1;
    return 0;
}

static int set_action(const struct key *key, struct stage_plan *stage, const char *text,
                      struct fault *why)
{
    if (*text == '\0')
        return fault_set(why, "names nothing");
    stage->subject = text;
    stage->action = (enum action)__builtin_ctz(key->actions);
    return 0;
}

static int set_text(const char **out, const char *text)
{
    /* An empty text is none at all: release = ${COMMIT:-}. */
    *out = *text == '\0' ? NULL : text;
    return 0;
}

int values_set(const struct key *key, void *base, const char *text, struct fault *why)
{
    void *place = (char *)base + key->offset;

    switch (key->type) {
    case KEY_TEXT:
        return set_text(place, text);
    case KEY_WORDS:
        return words_split(text, place, why);
    case KEY_BOOL:
        return text_bool(text, place, why);
    case KEY_DURATION:
        return text_duration(text, place, why);
    case KEY_AUTO:
        return set_auto(place, text, why);
    case KEY_NUMBER:
        return text_number(text, key->least, key->most, place, why);
    case KEY_MODE:
        return text_mode(text, place, why);
    case KEY_CHOICE:
        return set_choice(key, place, text, why);
    case KEY_SET:
        return set_set(key, place, text, why);
    case KEY_USER:
        return users_find("/etc", text, place, why);
    case KEY_SIGNAL:
        return set_signal(place, text, why);
    case KEY_STATUSES:
        return set_statuses(place, text, why);
    case KEY_ACTION:
        return set_action(key, base, text, why);
    }
    return fault_set(why, "key %s has no type", key->name);
}
