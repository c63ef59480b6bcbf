/*
 * Makes values of the texts that were collected, [freshinit] and the release before all others.
 */
#include "plan/settle.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "plan/draft.h"
#include "plan/env.h"
#include "plan/expand.h"
#include "plan/keys.h"
#include "plan/release.h"
#include "plan/values.h"

enum { STOP_MS = 8000, STOP_KUBERNETES_MS = 25000 };

struct settle {
    struct plan *plan;
    struct expand expand;
    struct fault *why;
    struct fault detail; /* one for all: each is a page of the stack */
};

static void add_fault(struct settle *settle, const struct source *source, const char *name,
                      const char *text)
{
    char place[DRAFT_PLACE_SIZE];

    fault_set(settle->why, "%s: %s %s", draft_place(settle->plan, source, place, sizeof place),
              name, text);
}

static void settle_key(struct settle *settle, struct stage_plan *stage, const struct key *key)
{
    struct source *source = draft_source(settle->plan, stage, key);
    void *base = stage ? (void *)stage : (void *)settle->plan;

    /* A default holds no variable. */
    if (!source->raw)
        source->raw = source->text = key->fallback;
    if (!source->raw)
        return;
    if (key->has_offset != 0)
        *(bool *)((char *)base + key->has_offset) = source->kind != SOURCE_DEFAULT;
    fault_clear(&settle->detail);
    if ((source->text ||
         expand_text(&settle->expand, source->raw, &source->text, &settle->detail) == 0) &&
        values_set(key, base, source->text, &settle->detail) == 0)
        return;
    /* No rule looks at a value that is a fault already. */
    source->text = NULL;
    add_fault(settle, source, key->name, fault_line(&settle->detail, 0));
}

static void settle_section(struct settle *settle, enum key_section section)
{
    size_t count;
    const struct key *key = keys_first(section, &count);

    for (size_t i = 0; i < count; i++)
        settle_key(settle, NULL, &key[i]);
}

/* "${GIT_COMMIT:-}" is from GIT_COMMIT, anything else from where it is written. */
static const char *origin_of(const struct plan *plan, const struct source *source)
{
    char place[DRAFT_PLACE_SIZE];

    if (strncmp(source->raw, "${", 2) == 0)
        return arena_text(source->raw + 2, strcspn(source->raw + 2, ":}"));
    draft_place(plan, source, place, sizeof place);
    return arena_text(place, strlen(place));
}

/* The folder whose .git is asked; the release is needed before the server's keys are settled. */
static const char *git_folder(const struct plan *plan)
{
    const struct source *workdir = draft_source(plan, NULL, keys_find(KEY_SERVER, "workdir"));

    return workdir->raw && *workdir->raw != '\0' && !strchr(workdir->raw, '$') ? workdir->raw : ".";
}

static void settle_release(struct settle *settle)
{
    struct plan *plan = settle->plan;
    const struct source *source = draft_source(plan, NULL, keys_find(KEY_FRESHINIT, "release"));
    char text[RELEASE_SIZE] = "";

    if (plan->release) {
        plan->release_from = origin_of(plan, source);
        if (!release_is_valid(plan->release))
            add_fault(settle, source, "release", "must be 1 to 128 characters without spaces");
        return;
    }
    fault_clear(&settle->detail);
    if (plan->release_file) {
        source = draft_source(plan, NULL, keys_find(KEY_FRESHINIT, "release_file"));
        if (release_from_file(plan->release_file, text, &settle->detail) < 0)
            add_fault(settle, source, "", fault_line(&settle->detail, 0));
        plan->release_from = plan->release_file;
    } else if (!(plan->release_from = release_from_environment(settle->expand.environment, text)) &&
               !(plan->release_from = release_from_seal(plan->seal, text)) &&
               release_from_git(git_folder(plan), text)) {
        plan->release_from = ".git/HEAD";
    }
    plan->release = arena_text(text, strlen(text));
}

/* Default folders depend on the action, so they can't stand in the table. */
static void settle_folders(struct settle *settle, struct stage_plan *stage)
{
    const struct key *in = keys_find(KEY_STAGE, "in");
    const struct key *exclude = keys_find(KEY_STAGE, "exclude");
    bool is_code = stage->action == ACTION_TOUCH;

    for (size_t i = 0; i < stage->subjects.count; i++)
        if (strcmp(stage->subjects.items[i], "bytecode") == 0)
            is_code = true;
    if (!stage->sources[keys_place(in)].raw && stage->action != ACTION_EMPTY) {
        stage->sources[keys_place(in)].raw = ".";
        settle_key(settle, stage, in);
    }
    if (!stage->sources[keys_place(exclude)].raw) {
        stage->sources[keys_place(exclude)].raw =
            is_code ? ".git node_modules site-packages dist-packages" : ".git";
        settle_key(settle, stage, exclude);
    }
}

/* What a stage is where nothing is written. */
static void settle_usual(struct settle *settle, struct stage_plan *out)
{
    size_t count;
    const struct key *key = keys_first(KEY_STAGE, &count);

    for (size_t i = 0; i < count; i++)
        if (key[i].fallback && values_set(&key[i], out, key[i].fallback, settle->why) < 0)
            return;
}

static void settle_stage(struct settle *settle, struct stage_plan *stage)
{
    size_t count;
    const struct key *key = keys_first(KEY_STAGE, &count);
    struct source *source = stage->sources;

    for (const struct key *end = key + count; key < end; key++, source++) {
        /* The rows of the actions come first; a default of another action's key is no value. */
        if (source->kind != SOURCE_DEFAULT)
            settle_key(settle, stage, key);
        else if ((key->actions & (1U << stage->action)) != 0)
            source->raw = source->text = key->fallback;
    }
    fault_clear(&settle->detail);
    if (stage->subject && !stage->shell &&
        words_split(stage->subject, &stage->subjects, &settle->detail) < 0)
        add_fault(settle,
                  draft_source(settle->plan, stage,
                               keys_find(KEY_STAGE, keys_action_name(stage->action))),
                  keys_action_name(stage->action), fault_line(&settle->detail, 0));
    if (stage->action == ACTION_CLEAR || stage->action == ACTION_TOUCH ||
        stage->action == ACTION_EMPTY)
        settle_folders(settle, stage);
}

static void settle_server(struct settle *settle)
{
    struct server_plan *server = &settle->plan->server;
    struct source *source;

    settle_section(settle, KEY_SERVER);
    if (server->stop_timeout_ms < 0) {
        bool is_kubernetes = env_find(settle->expand.environment, "KUBERNETES_SERVICE_HOST");
        server->stop_timeout_ms = is_kubernetes ? STOP_KUBERNETES_MS : STOP_MS;
    }
    source = draft_source(settle->plan, NULL, keys_find(KEY_SERVER, "no_new_privs"));
    if (!source->raw && server->user.text) {
        server->no_new_privs = true;
        source->text = "yes";
    }
}

static void settle_env(struct settle *settle)
{
    for (size_t i = 0; i < settle->plan->env_count; i++) {
        struct env_entry *entry = &settle->plan->env[i];
        fault_clear(&settle->detail);
        if (expand_text(&settle->expand, entry->source.raw, &entry->value, &settle->detail) < 0)
            add_fault(settle, &entry->source, entry->name, fault_line(&settle->detail, 0));
        entry->source.text = entry->value;
    }
}

static void settle_log(struct plan *plan, int verbosity)
{
    int level = (int)plan->log_level + verbosity;

    /* tini counts from errors on. */
    if (plan->init.is_tini)
        level = (int)LOG_ERROR + verbosity;
    plan->log_level = level > (int)LOG_TRACE ? LOG_TRACE : (enum log_level)level;
    log_setup(plan->log, plan->log_level);
}

void settle_plan(struct plan *plan, char *const *environment, int verbosity, struct fault *why)
{
    struct settle settle;
    struct stage_plan usual = { 0 };

    settle.plan = plan;
    settle.expand = (struct expand){ .environment = environment };
    settle.why = why;

    settle_section(&settle, KEY_FRESHINIT);
    settle_log(plan, verbosity);
    settle_release(&settle);
    settle.expand.release = plan->release;
    settle_server(&settle);
    settle_section(&settle, KEY_HEALTH);
    settle_usual(&settle, &usual);
    for (size_t i = 0; i < plan->stage_count; i++) {
        struct stage_plan *stage = &plan->stages[i];
        usual.name = stage->name;
        usual.line = stage->line;
        usual.sources = stage->sources;
        *stage = usual;
        settle_stage(&settle, stage);
    }
    settle_env(&settle);
}
