/*
 * Finds the keys of --set SECTION.KEY=VALUE. Converts nothing.
 */
#include "plan/sets.h"

#include <stdio.h>
#include <string.h>

#include "plan/draft.h"
#include "plan/guess.h"
#include "plan/keys.h"

enum { KEY_SIZE = 160 };

/* "--set server.umsk", without the value, which may be a secret. */
#define WRITTEN "--%s %.*s"
#define WRITTEN_ARGUMENTS(set) (set)->option, (int)strcspn((set)->key, "="), (set)->key

/* "SECTION.KEY" in its parts; `stage` is between the two where there is one. */
struct address {
    char text[KEY_SIZE];
    char *section;
    char *stage;
    char *key;
};

/* A key has no dot, the name of a stage may have some. */
static bool take_apart(const char *text, struct address *out)
{
    size_t length = strcspn(text, "=");

    if (length >= sizeof out->text)
        return false;
    memcpy(out->text, text, length);
    out->text[length] = '\0';
    out->section = out->text;
    out->stage = NULL;
    char *dot = strchr(out->text, '.');
    if (!dot)
        return false;
    *dot = '\0';
    out->key = dot + 1;
    if (strcmp(out->section, "stage") != 0)
        return true;
    dot = strrchr(out->key, '.');
    if (!dot)
        return false;
    *dot = '\0';
    out->stage = out->key;
    out->key = dot + 1;
    return true;
}

static int unknown_stage(const struct plan *plan, const struct set_option *set, const char *name,
                         struct fault *why)
{
    char hint[GUESS_TEXT_SIZE];
    struct guess guess;

    guess_start(&guess, name);
    for (size_t i = 0; i < plan->stage_count; i++)
        guess_offer(&guess, plan->stages[i].name);
    return fault_set(why, WRITTEN ": there is no [stage %s]%s", WRITTEN_ARGUMENTS(set), name,
                     guess_text(&guess, hint));
}

static int unknown_key(const struct set_option *set, enum key_section section, const char *name,
                       struct fault *why)
{
    char hint[GUESS_TEXT_SIZE];
    struct guess guess;

    guess_start(&guess, name);
    draft_guess_key(&guess, section);
    return fault_set(why, WRITTEN ": unknown key \"%s\" in [%s]%s", WRITTEN_ARGUMENTS(set), name,
                     keys_section_name(section), guess_text(&guess, hint));
}

static int unknown_section(const struct set_option *set, const char *name, struct fault *why)
{
    char hint[GUESS_TEXT_SIZE];
    struct guess guess;

    guess_start(&guess, name);
    guess_offer(&guess, "env");
    for (enum key_section i = KEY_FRESHINIT; i <= KEY_STAGE; i++)
        guess_offer(&guess, keys_section_name(i));
    return fault_set(why, WRITTEN ": unknown section \"%s\"%s", WRITTEN_ARGUMENTS(set), name,
                     guess_text(&guess, hint));
}

static int apply(struct plan *plan, const struct set_option *set, struct fault *why)
{
    const struct source source = { .kind = SOURCE_ARGV, .name = set->option, .raw = set->value };
    enum key_section section = KEY_FRESHINIT;
    struct stage_plan *stage = NULL;
    struct address at;
    struct fault detail;

    if (!take_apart(set->key, &at))
        return fault_set(why,
                         WRITTEN ": write server.KEY=, health.KEY=, freshinit.KEY=, env.NAME= "
                                 "or stage.NAME.KEY=",
                         WRITTEN_ARGUMENTS(set));
    if (strcmp(at.section, "env") == 0) {
        fault_clear(&detail);
        if (draft_env(plan, at.key, &source, &detail) == 0)
            return 0;
        return fault_set(why, WRITTEN ": %s", WRITTEN_ARGUMENTS(set), fault_line(&detail, 0));
    }
    while (section <= KEY_STAGE && strcmp(at.section, keys_section_name(section)) != 0)
        section++;
    if (section > KEY_STAGE)
        return unknown_section(set, at.section, why);
    if (at.stage && !(stage = draft_stage(plan, at.stage)))
        return unknown_stage(plan, set, at.stage, why);
    const struct key *key = keys_find(section, at.key);
    if (!key)
        return unknown_key(set, section, at.key, why);
    *draft_source(plan, stage, key) = source;
    return 0;
}

void sets_apply(struct plan *plan, const struct call *call, struct fault *why)
{
    for (size_t i = 0; i < call->set_count; i++)
        if (apply(plan, &call->sets[i], why) < 0)
            continue;
}
