/*
 * Reads the FRESHINIT_* variables. What children get is made in environ.c.
 */
#include "plan/env.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "plan/draft.h"
#include "plan/expand.h"
#include "plan/guess.h"
#include "plan/keys.h"

#define PREFIX "FRESHINIT_"
enum { PREFIX_LENGTH = sizeof PREFIX - 1, NAME_SIZE = 64 };

/* A letter of a key or a stage as it stands in a variable's name. */
static char shout(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
}

/* What follows WORD in a variable's name, or NULL when it does not begin with it. */
static const char *after(const char *name, const char *word)
{
    for (; *word != '\0'; word++, name++)
        if (*name != shout(*word))
            return NULL;
    return name;
}

/* The key that the rest of a variable's name, up to its equals sign, stands for. */
static const struct key *key_of(enum key_section section, const char *rest)
{
    size_t count;
    const struct key *key = keys_first(section, &count);

    for (size_t i = 0; i < count; i++) {
        const char *end = after(rest, key[i].name);
        if (end && *end == '=')
            return &key[i];
    }
    return NULL;
}

static bool put(struct plan *plan, struct stage_plan *stage, const struct key *key,
                const struct source *source)
{
    if (!key)
        return false;
    *draft_source(plan, stage, key) = *source;
    return true;
}

static bool put_env(struct plan *plan, const char *rest, const struct source *source)
{
    for (size_t i = 0; i < plan->env_count; i++) {
        const char *end = after(rest, plan->env[i].name);
        if (end && *end == '=') {
            plan->env[i].source = *source;
            return true;
        }
    }
    return false;
}

/* `rest` is behind FRESHINIT_. A variable may stand for a key of several stages, like "a-b" and
 * "a_b"; it is for all of them. */
static bool place(struct plan *plan, const char *rest, const struct source *source)
{
    const char *inner = after(rest, "stage_");
    bool is_placed = false;

    for (size_t i = 0; inner && i < plan->stage_count; i++) {
        const char *key = after(inner, plan->stages[i].name);
        if (key && *key == '_' && put(plan, &plan->stages[i], key_of(KEY_STAGE, key + 1), source))
            is_placed = true;
    }
    inner = after(rest, "server_");
    if (!is_placed && inner)
        is_placed = put(plan, NULL, key_of(KEY_SERVER, inner), source);
    inner = after(rest, "health_");
    if (!is_placed && inner)
        is_placed = put(plan, NULL, key_of(KEY_HEALTH, inner), source);
    inner = after(rest, "env_");
    if (!is_placed && inner)
        is_placed = put_env(plan, inner, source);
    return is_placed || put(plan, NULL, key_of(KEY_FRESHINIT, rest), source);
}

/* FRESHINIT_PORT, FRESHINIT_SERVICE_HOST, FRESHINIT_WEB_PORT_80_TCP_ADDR: what Kubernetes sets in
 * every container for a service whose name begins with freshinit. */
static bool is_service_link(const char *rest)
{
    const char *equals = strchr(rest, '=');
    char name[NAME_SIZE];

    snprintf(name, sizeof name, "_%.*s", (int)(equals - rest), rest);
    return strstr(name, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT") ||
           ((strstr(name, "_PORT")) && (strstr(name, "_TCP") || strstr(name, "_UDP"))) ||
           strncmp(equals + 1, "tcp://", 6) == 0 || strncmp(equals + 1, "udp://", 6) == 0;
}

static const char *name_of(const char *variable)
{
    return arena_text(variable, strcspn(variable, "="));
}

void env_read(struct plan *plan, char *const *environment, struct strays *out)
{
    out->count = 0;
    for (; *environment; environment++) {
        const char *variable = *environment;
        const char *equals;
        if (strncmp(variable, PREFIX, PREFIX_LENGTH) != 0 || !(equals = strchr(variable, '=')))
            continue;
        const char *rest = variable + PREFIX_LENGTH;
        const struct source source = { .kind = SOURCE_ENV,
                                       .name = name_of(variable),
                                       .raw = equals + 1 };
        if (place(plan, rest, &source) || strncmp(rest, "CONFIG=", 7) == 0 ||
            is_service_link(rest) || out->count == STRAYS_MAX)
            continue;
        out->names[out->count++] = source.name;
    }
}

/* Offers each key as the variable that it is. */
static void guess_variables(struct guess *guess, const char *infix, enum key_section section)
{
    char name[2 * NAME_SIZE];
    size_t count;
    const struct key *key = keys_first(section, &count);

    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, PREFIX "%s%s", infix, key[i].name);
        for (char *c = name; *c != '\0'; c++)
            *c = shout(*c);
        guess_offer(guess, name);
    }
}

void env_warn(const struct plan *plan, const struct strays *strays)
{
    for (size_t i = 0; i < strays->count; i++) {
        char hint[GUESS_TEXT_SIZE];
        char infix[NAME_SIZE];
        struct guess guess;
        guess_start(&guess, strays->names[i]);
        guess_offer(&guess, PREFIX "CONFIG");
        guess_variables(&guess, "", KEY_FRESHINIT);
        guess_variables(&guess, "server_", KEY_SERVER);
        guess_variables(&guess, "health_", KEY_HEALTH);
        for (size_t stage = 0; stage < plan->stage_count; stage++) {
            snprintf(infix, sizeof infix, "stage_%s_", plan->stages[stage].name);
            guess_variables(&guess, infix, KEY_STAGE);
        }
        log_event(LOG_WARN, "config.unknown_variable",
                  LOG_FIELDS(LOG_TEXT("variable", strays->names[i])),
                  "%s is set, but there is no such key%s", strays->names[i],
                  guess_text(&guess, hint));
    }
}

const char *env_find(char *const *environment, const char *name)
{
    return expand_lookup(environment, name, strlen(name));
}

void env_tini(struct init_plan *init, int *verbosity, char *const *environment)
{
    const char *level = env_find(environment, "TINI_VERBOSITY");

    if (env_find(environment, "TINI_SUBREAPER"))
        init->subreaper = true;
    if (env_find(environment, "TINI_KILL_PROCESS_GROUP"))
        init->group = true;
    if (level && level[0] >= '0' && level[0] <= '9' && level[1] == '\0')
        *verbosity = level[0] - '0';
}
