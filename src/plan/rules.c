/*
 * The rules between keys of a finished plan. Each key alone was checked when it was converted.
 */
#include "plan/rules.h"

#include <string.h>

#include "base/exitcode.h"
#include "plan/draft.h"
#include "plan/keys.h"

/* What is left after `drain` for the server itself. */
enum { STOP_LEAST_MS = 1000 };

static const struct source *stage_source(const struct stage_plan *stage, const char *name)
{
    return draft_source(NULL, stage, keys_find(KEY_STAGE, name));
}

static const struct source *source_of(const struct plan *plan, enum key_section section,
                                      const char *name)
{
    return draft_source(plan, NULL, keys_find(section, name));
}

static bool is_written(const struct source *source)
{
    return source->kind != SOURCE_DEFAULT;
}

/* A rule of a stage that is broken where the key `name` was written; NULL is all of the stage. */
static void broken(const struct plan *plan, const struct stage_plan *stage, const char *name,
                   const char *text, struct fault *why)
{
    char place[DRAFT_PLACE_SIZE];
    const struct source section = { .kind = SOURCE_FILE, .line = stage->line };
    const struct source *source = name ? stage_source(stage, name) : &section;

    draft_place(plan, is_written(source) ? source : &section, place, sizeof place);
    fault_set(why, "%s: [stage %s] %s", place, stage->name, text);
}

/* Exactly one action, and no key of another one. */
static bool check_action(const struct plan *plan, const struct stage_plan *stage, struct fault *why)
{
    char place[DRAFT_PLACE_SIZE];
    const struct key *action = NULL;
    size_t count;
    const struct key *key = keys_first(KEY_STAGE, &count);

    /* The rows of the actions come first. */
    for (size_t i = 0; i < count; i++) {
        const struct source *source = &stage->sources[i];
        if (!is_written(source))
            continue;
        bool is_action = key[i].type == KEY_ACTION;
        if (!action)
            action = is_action ? &key[i] : NULL;
        else if (is_action)
            fault_set(why, "%s: [stage %s] has two actions, %s and %s: write two stages",
                      draft_place(plan, source, place, sizeof place), stage->name, action->name,
                      key[i].name);
        else if ((key[i].actions & action->actions) == 0)
            fault_set(why, "%s: [stage %s] %s is no key of %s",
                      draft_place(plan, source, place, sizeof place), stage->name, key[i].name,
                      action->name);
    }
    if (!action)
        broken(plan, stage, NULL,
               "has no action: write one of clear, empty, touch, flush, wait, free, run", why);
    return action;
}

static void check_once(const struct plan *plan, const struct stage_plan *stage, struct fault *why)
{
    if (stage->once == ONCE_RELEASE && stage->action != ACTION_FLUSH && !stage->once_at &&
        !is_written(source_of(plan, KEY_FRESHINIT, "state_dir")))
        broken(
            plan, stage, "once",
            "once = release needs a place that all replicas see: write once_at = redis://... or, "
            "in [freshinit], state_dir =",
            why);
    if (stage->once == ONCE_CHANGE && !is_written(stage_source(stage, "in")))
        broken(plan, stage, "once", "once = change needs in = with the files to look at", why);
    if (stage->once != ONCE_RELEASE && stage->once_id)
        broken(plan, stage, "once_id", "once_id needs once = release", why);
    if (stage->once != ONCE_RELEASE && stage->once_at)
        broken(plan, stage, "once_at", "once_at needs once = release", why);
}

static void check_stage(const struct plan *plan, const struct stage_plan *stage, struct fault *why)
{
    if (!check_action(plan, stage, why) || stage->action == ACTION_NONE)
        return;
    if (stage->action == ACTION_EMPTY && !is_written(stage_source(stage, "when")))
        broken(plan, stage, "empty", "empty has no default: write when =, like when = build", why);
    if (stage->targets.count > 0 && !(stage->when & WHEN_BUILD))
        broken(plan, stage, "targets", "targets needs when = build", why);
    if (stage->timeout_ms == 0 && stage_source(stage, "timeout")->text)
        broken(plan, stage, "timeout", "timeout must be more than 0", why);
    check_once(plan, stage, why);
}

static void check_server(const struct plan *plan, struct fault *why)
{
    const struct server_plan *server = &plan->server;
    const struct source *source = source_of(plan, KEY_SERVER, "drain");
    char place[DRAFT_PLACE_SIZE];

    if (server->has_capabilities && !source_of(plan, KEY_SERVER, "user")->raw)
        fault_set(why, "%s: capabilities needs user =: without it nothing is taken away",
                  draft_place(plan, source_of(plan, KEY_SERVER, "capabilities"), place,
                              sizeof place));
    if (server->stop_timeout_ms < server->drain_ms + STOP_LEAST_MS && source->text &&
        source_of(plan, KEY_SERVER, "stop_timeout")->text)
        fault_set(why,
                  "%s: drain (%lld ms) is part of stop_timeout (%lld ms), and a second must be "
                  "left: write a longer stop_timeout",
                  draft_place(plan, source, place, sizeof place), (long long)server->drain_ms,
                  (long long)server->stop_timeout_ms);
    source = source_of(plan, KEY_FRESHINIT, "state_dir");
    if (source->text && source->text[0] != '/')
        fault_set(why, "%s: state_dir must begin with /",
                  draft_place(plan, source, place, sizeof place));
}

void rules_check(const struct plan *plan, struct fault *why)
{
    for (size_t i = 0; i < plan->stage_count; i++)
        check_stage(plan, &plan->stages[i], why);
    check_server(plan, why);
}

void rules_need_command(const struct plan *plan, struct fault *why)
{
    const struct source *source = source_of(plan, KEY_SERVER, "command");
    const struct words *command = &plan->server.command;
    bool is_empty = command->count > 0 && command->items[0][0] == '\0';

    /* One that is written, but wrong, is a fault already. */
    if ((command->count > 0 && !is_empty) || (source->raw && !source->text))
        return;
    if (why->count == 0)
        fault_code(why, plan->init.is_tini ? EXIT_FAILED : EXIT_USAGE);
    fault_set(why, "%s: write it after the options, or as command = in [server]",
              is_empty ? "the command is empty" : "no command");
}
