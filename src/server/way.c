/*
 * Chooses the reload. gunicorn's own one keeps what its master has imported.
 */
#include "server/way.h"

#include <string.h>

#include "plan/draft.h"
#include "plan/environ.h"
#include "server/adapt.h"

/* Is `name` the module of an argument: "name", "name:app" or "name.wsgi:app"? */
static bool is_served(const struct words *command, const char *name, size_t length)
{
    for (size_t i = 1; i < command->count && length > 0; i++) {
        const char *word = command->items[i];
        if (strncmp(word, name, length) == 0 && strchr(".:", word[length]))
            return true;
    }
    return false;
}

/* Does a line of gunicorn's own configuration keep old code: preload_app, or an import of the
 * application, which the master then holds? */
static bool keeps_code(const char *line, const struct words *command)
{
    const char *name = NULL;

    line += strspn(line, " \t");
    if (strncmp(line, "preload_app", 11) == 0) {
        size_t length = strcspn(line, "\n");
        return memmem(line, length, "True", 4) != NULL;
    }
    if (strncmp(line, "import ", 7) == 0)
        name = line + 7;
    else if (strncmp(line, "from ", 5) == 0)
        name = line + 5;
    if (!name)
        return false;
    name += strspn(name, " ");
    return is_served(command, name, strcspn(name, " .,;\n"));
}

static bool config_keeps_code(const struct plan *plan)
{
    char text[ADAPT_CONFIG_MAX];

    adapt_read_config(plan, text, sizeof text);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (keeps_code(line, &plan->server.command))
            return true;
    }
    return false;
}

static enum reload for_gunicorn(const struct plan *plan, const char **out_reason)
{
    const struct words *command = &plan->server.command;
    const char *more = environ_get(plan, "GUNICORN_CMD_ARGS");

    *out_reason = "its master has the application loaded (--preload), so HUP would keep old code";
    if (adapt_has_option(command, "--preload") || (more && strstr(more, "--preload")))
        return RELOAD_RESTART;
    *out_reason = "its configuration loads the application into the master, so HUP would keep old "
                  "code";
    if (config_keeps_code(plan))
        return RELOAD_RESTART;
    *out_reason = "gunicorn's own HUP; old workers are ended after stale_worker_timeout";
    return RELOAD_SIGNAL;
}

int way_choose(const struct plan *plan, const struct profile *profile, enum reload *out,
               const char **out_reason, struct fault *why)
{
    bool has_listen = plan->server.listen.count > 0;

    *out = plan->server.reload;
    *out_reason = "as written";
    switch (plan->server.reload) {
    case RELOAD_HANDOVER:
        if (!has_listen)
            return draft_fault(plan, KEY_SERVER, "reload", why, "handover needs listen = ADDRESS");
        return 0;
    case RELOAD_SIGNAL:
        if (profile->kind != SERVER_GUNICORN && profile->kind != SERVER_UVICORN)
            return draft_fault(plan, KEY_SERVER, "reload", why, "%s does not reload by HUP",
                               profile->name);
        return 0;
    case RELOAD_RESTART:
    case RELOAD_NONE:
        return 0;
    case RELOAD_AUTO:
        break;
    }
    if (has_listen) {
        *out = RELOAD_HANDOVER;
        *out_reason = "freshinit holds the socket (listen)";
    } else if (profile->kind == SERVER_GUNICORN) {
        *out = for_gunicorn(plan, out_reason);
    } else {
        *out = profile->is_known ? RELOAD_RESTART : RELOAD_NONE;
        *out_reason = profile->is_known
                          ? "stop and start; with listen = ADDRESS no one would be refused"
                          : "HUP is only forwarded to an unknown command";
    }
    return 0;
}

bool way_recycles(const struct plan *plan, const struct profile *profile)
{
    return profile->kind == SERVER_UVICORN && plan->server.max_requests > 0 &&
           adapt_workers(plan) == 1;
}
