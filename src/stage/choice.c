/* Words of a stage to patterns and named sets. Knows no file system. */
#include "stage/choice.h"

#include <string.h>

#include "base/text.h"

/* The sets that are nothing but patterns; bytecode and jinja take a look inside as well. */
static const char *const jinja_words[] = { "__jinja2_*.cache", NULL };
static const char *const next_words[] = { ".next/", ".turbo/", "node_modules/.cache/", NULL };

/* With no pool the word is only checked. */
static int add(struct choice_pool *pool, const char *word, bool is_exclude, struct fault *why)
{
    struct pattern pattern;

    if (pool && pool->used == CHOICE_POOL_SIZE)
        return fault_set(why, "more than %d patterns in neighbouring stages", CHOICE_POOL_SIZE);
    if (pattern_read(word, is_exclude, &pattern, why) < 0)
        return -1;
    if (pool)
        pool->items[pool->used++] = pattern;
    return 0;
}

static int add_all(struct choice_pool *pool, const char *const *words, struct fault *why)
{
    for (; *words; words++) {
        if (add(pool, *words, false, why) < 0)
            return -1;
    }
    return 0;
}

static bool is_bare(const char *word)
{
    return *word != '\0' && !strpbrk(word, "*?[./");
}

static int add_set(struct choice *choice, struct choice_pool *pool, const char *word,
                   struct fault *why)
{
    static const char *const names[] = { "bytecode", "jinja", "next" };

    if (strcmp(word, "bytecode") == 0) {
        choice->has_bytecode = true;
        return 0;
    }
    if (strcmp(word, "jinja") == 0) {
        choice->has_jinja = true;
        return add_all(pool, jinja_words, why);
    }
    if (strcmp(word, "next") == 0)
        return add_all(pool, next_words, why);
    for (size_t i = 0; i < COUNT(names); i++) {
        if (text_distance(word, names[i]) <= 2)
            return fault_set(why, "unknown set \"%s\"; did you mean \"%s\"?", word, names[i]);
    }
    return fault_set(why,
                     "unknown set \"%s\" (there are bytecode, jinja and next); for a folder "
                     "write \"%s/\"",
                     word, word);
}

static int add_word(struct choice *choice, struct choice_pool *pool, const char *word,
                    struct fault *why)
{
    bool is_clear = choice->stage->action == ACTION_CLEAR;

    if (is_clear && is_bare(word))
        return add_set(choice, pool, word, why);
    if (is_clear && pattern_check_clear(word, why) < 0)
        return -1;
    return add(pool, word, false, why);
}

static int check_count(const struct stage_plan *stage, struct fault *why)
{
    if (stage->subjects.count > CHOICE_WORDS_MAX || stage->exclude.count > CHOICE_WORDS_MAX)
        return fault_set(why, "more than %d words", CHOICE_WORDS_MAX);
    return 0;
}

static int add_subjects(struct choice *choice, struct choice_pool *pool, struct fault *why)
{
    const struct words *words = &choice->stage->subjects;
    int result = 0;

    /* The words of `empty` are roots, not patterns. */
    for (size_t i = 0; i < words->count && choice->stage->action != ACTION_EMPTY; i++)
        result |= add_word(choice, pool, words->items[i], why);
    return result;
}

static int add_excludes(const struct stage_plan *stage, struct choice_pool *pool, struct fault *why)
{
    int result = 0;

    for (size_t i = 0; i < stage->exclude.count; i++)
        result |= add(pool, stage->exclude.items[i], true, why);
    return result;
}

int choice_check(const struct stage_plan *stage, struct fault *why)
{
    struct choice unused = { .stage = stage };

    if (check_count(stage, why) < 0)
        return -1;
    return add_subjects(&unused, NULL, why) | add_excludes(stage, NULL, why);
}

int choice_read(const struct stage_plan *stage, struct choice_pool *pool, struct choice *out,
                struct fault *why)
{
    struct choice made = { .stage = stage, .patterns = pool->items + pool->used };

    if (check_count(stage, why) < 0)
        return -1;
    int result = add_subjects(&made, pool, why);
    made.pattern_count = (size_t)(pool->items + pool->used - made.patterns);
    made.excludes = pool->items + pool->used;
    result |= add_excludes(stage, pool, why);
    made.exclude_count = (size_t)(pool->items + pool->used - made.excludes);
    if (result < 0)
        return -1;
    *out = made;
    return 0;
}

static bool any_matches(const struct pattern *patterns, size_t count, enum pattern_of of,
                        const char *name, size_t length, const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (pattern_matches(&patterns[i], of, name, length, path))
            return true;
    }
    return false;
}

bool choice_matches(const struct choice *choice, enum pattern_of of, const char *name,
                    size_t length, const char *path)
{
    return any_matches(choice->patterns, choice->pattern_count, of, name, length, path);
}

bool choice_excludes(const struct choice *choice, enum pattern_of of, const char *name,
                     size_t length, const char *path)
{
    return any_matches(choice->excludes, choice->exclude_count, of, name, length, path);
}
