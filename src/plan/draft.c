/*
 * Puts texts at the places of their keys, and says which sections and keys there are not. Converts
 * nothing.
 */
#include "plan/draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

/* Letters, digits, underscores, and what `others` holds. */
static bool is_name(const char *name, const char *others)
{
    const char *next = name;

    while (text_is_letter(*next) || text_is_digit(*next) || *next == '_' ||
           (*next != '\0' && strchr(others, *next)))
        next++;
    return next > name && *next == '\0';
}

static bool is_env_name(const char *name)
{
    return is_name(name, "") && !text_is_digit(*name);
}

static bool is_stage_name(const char *name)
{
    return is_name(name, ".-");
}

struct source *draft_source(const struct plan *plan, const struct stage_plan *stage,
                            const struct key *key)
{
    return (stage ? stage->sources : plan->sources) + keys_place(key);
}

struct plan *draft_plan(void)
{
    struct plan *plan = arena_take(sizeof *plan);

    plan->sources = arena_take(keys_sources(KEY_FRESHINIT) * sizeof *plan->sources);
    return plan;
}

int draft_env(struct plan *plan, const char *name, const struct source *source, struct fault *why)
{
    size_t at = 0;

    if (!is_env_name(name))
        return fault_set(why, "\"%s\" is no name of a variable", name);
    while (at < plan->env_count && strcmp(plan->env[at].name, name) != 0)
        at++;
    if (at == ENV_MAX)
        return fault_set(why, "[env] has at most %d variables", ENV_MAX);
    if (at == plan->env_count)
        plan->env[plan->env_count++].name = arena_text(name, strlen(name));
    plan->env[at].source = *source;
    return 0;
}

const char *draft_place(const struct plan *plan, const struct source *source, char *out,
                        size_t out_size)
{
    switch (source->kind) {
    case SOURCE_FILE:
        snprintf(out, out_size, "%s:%d", plan->config ? plan->config : "built-in", source->line);
        break;
    case SOURCE_ENV:
        snprintf(out, out_size, "%s", source->name);
        break;
    case SOURCE_ARGV:
        /* The command itself has no option. */
        snprintf(out, out_size, "%s%s", source->name ? "--" : "command line",
                 source->name ? source->name : "");
        break;
    case SOURCE_DEFAULT:
        snprintf(out, out_size, "default");
        break;
    }
    return out;
}

int draft_fault(const struct plan *plan, enum key_section section, const char *key,
                struct fault *why, const char *format, ...)
{
    const struct source *source = draft_source(plan, NULL, keys_find(section, key));
    char place[DRAFT_PLACE_SIZE];
    char text[FAULT_TEXT_SIZE / 4];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return fault_set(why, "%s: [%s] %s: %s", draft_place(plan, source, place, sizeof place),
                     keys_section_name(section), key, text);
}

struct stage_plan *draft_stage(struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->stage_count; i++)
        if (strcmp(plan->stages[i].name, name) == 0)
            return &plan->stages[i];
    return NULL;
}

void draft_guess_key(struct guess *guess, enum key_section section)
{
    size_t count;
    const struct key *key = keys_first(section, &count);

    for (size_t i = 0; i < count; i++)
        guess_offer(guess, key[i].name);
}

static void enter_stage(struct draft *draft, const char *name, int line)
{
    struct plan *plan = draft->plan;
    struct stage_plan *stage = draft_stage(plan, name);

    draft->at = DRAFT_KEYS;
    draft->section = KEY_STAGE;
    draft->stage = stage;
    if (stage) {
        fault_set(draft->why, "%s:%d: [stage %s] is there already, on line %d", draft->file, line,
                  name, stage->line);
        return;
    }
    draft->at = DRAFT_UNKNOWN;
    if (!is_stage_name(name)) {
        fault_set(draft->why,
                  "%s:%d: \"%s\" is no name of a stage: write [stage NAME], with letters, digits "
                  "and . _ -",
                  draft->file, line, name);
        return;
    }
    if (plan->stage_count == STAGES_MAX) {
        fault_set(draft->why, "%s:%d: [stage %s]: there are at most %d stages", draft->file, line,
                  name, STAGES_MAX);
        return;
    }
    draft->at = DRAFT_KEYS;
    stage = &plan->stages[plan->stage_count++];
    stage->name = arena_text(name, strlen(name));
    stage->line = line;
    stage->sources = arena_take(keys_sources(KEY_STAGE) * sizeof *stage->sources);
    draft->stage = stage;
}

static void unknown_section(struct draft *draft, const char *section, int line)
{
    char hint[GUESS_TEXT_SIZE];
    char word[INIFILE_SECTION_MAX + 1];
    struct guess guess;

    snprintf(word, sizeof word, "%.*s", (int)strcspn(section, " \t"), section);
    guess_start(&guess, word);
    guess_offer(&guess, "env");
    for (enum key_section i = KEY_FRESHINIT; i <= KEY_STAGE; i++)
        guess_offer(&guess, keys_section_name(i));
    fault_set(draft->why, "%s:%d: unknown section [%s]%s", draft->file, line, section,
              guess_text(&guess, hint));
}

/* One of the sections that can be there once. */
static void enter_once(struct draft *draft, const char *section, int *seen_line, int line)
{
    if (*seen_line != 0)
        fault_set(draft->why, "%s:%d: [%s] is there already, on line %d", draft->file, line,
                  section, *seen_line);
    else
        *seen_line = line;
}

static void take_section(void *context, const char *section, int line)
{
    struct draft *draft = context;

    draft->stage = NULL;
    if (strncmp(section, "stage", 5) == 0 && (section[5] == '\0' || text_is_space(section[5]))) {
        for (section += 5; text_is_space(*section);)
            section++;
        enter_stage(draft, section, line);
        return;
    }
    if (strcmp(section, "env") == 0) {
        draft->at = DRAFT_ENV;
        enter_once(draft, section, &draft->env_line, line);
        return;
    }
    for (enum key_section i = KEY_FRESHINIT; i < KEY_STAGE; i++) {
        if (strcmp(section, keys_section_name(i)) == 0) {
            draft->at = DRAFT_KEYS;
            draft->section = i;
            enter_once(draft, section, &draft->section_lines[i], line);
            return;
        }
    }
    draft->at = DRAFT_UNKNOWN;
    unknown_section(draft, section, line);
}

static void take_env(struct draft *draft, const char *name, const struct source *source)
{
    const struct plan *plan = draft->plan;
    struct fault detail;

    for (size_t i = 0; i < plan->env_count; i++) {
        if (strcmp(plan->env[i].name, name) == 0) {
            fault_set(draft->why, "%s:%d: duplicate %s in [env], first on line %d", draft->file,
                      source->line, name, plan->env[i].source.line);
            return;
        }
    }
    fault_clear(&detail);
    if (draft_env(draft->plan, name, source, &detail) < 0)
        fault_set(draft->why, "%s:%d: %s", draft->file, source->line, fault_line(&detail, 0));
}

static void unknown_key(const struct draft *draft, const char *section, const char *name, int line)
{
    char hint[GUESS_TEXT_SIZE];
    struct guess guess;

    guess_start(&guess, name);
    draft_guess_key(&guess, draft->section);
    fault_set(draft->why, "%s:%d: unknown key \"%s\" in [%s]%s", draft->file, line, name, section,
              guess_text(&guess, hint));
}

static void take_key(struct draft *draft, const char *name, const struct source *source)
{
    const struct key *key = keys_find(draft->section, name);
    struct source *now = key ? draft_source(draft->plan, draft->stage, key) : NULL;
    char section[INIFILE_SECTION_MAX + 8];

    if (now && now->kind != SOURCE_FILE) {
        *now = *source;
        return;
    }
    snprintf(section, sizeof section, "%s%s%s", keys_section_name(draft->section),
             draft->stage ? " " : "", draft->stage ? draft->stage->name : "");
    if (!now)
        unknown_key(draft, section, name, source->line);
    else
        fault_set(draft->why, "%s:%d: duplicate key \"%s\" in [%s], first on line %d", draft->file,
                  source->line, name, section, now->line);
}

static void take_value(void *context, const char *name, const char *value, int line)
{
    struct draft *draft = context;
    const struct source source = { .kind = SOURCE_FILE, .line = line, .raw = value };

    switch (draft->at) {
    case DRAFT_NOWHERE:
        fault_set(draft->why, "%s:%d: %s stands before the first section", draft->file, line, name);
        break;
    case DRAFT_UNKNOWN:
        /* The fault of the section is enough. */
        break;
    case DRAFT_ENV:
        take_env(draft, name, &source);
        break;
    case DRAFT_KEYS:
        take_key(draft, name, &source);
        break;
    }
}

struct inifile_handler draft_handler(struct draft *draft)
{
    return (
        struct inifile_handler){ .section = take_section, .value = take_value, .context = draft };
}
