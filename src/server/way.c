/*
 * Chooses the reload. gunicorn's own one keeps what its master has imported.
 */
#include "server/way.h"

#include <string.h>

#include "base/fdio.h"
#include "plan/environ.h"
#include "server/adapt.h"

enum { CONFIG_MAX = 64 * 1024 };

/* The last argument without a dash: "package.module:app". Its first name, by its length. */
static const char *application(const struct words *command, size_t *out_length)
{
    for (size_t i = command->count; i-- > 1;) {
        const char *word = command->items[i];
        if (word[0] != '-' && strchr(word, ':') && !strchr(word, '/')) {
            *out_length = strcspn(word, ".:");
            return word;
        }
    }
    *out_length = 0;
    return NULL;
}

/* Does a line of gunicorn's own configuration keep old code: preload_app, or an import of the
 * application, which the master then holds? */
static bool keeps_code(const char *line, const char *app, size_t app_length)
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
    if (!name || !app)
        return false;
    name += strspn(name, " ");
    return strncmp(name, app, app_length) == 0 && strcspn(name, " .,;\n") == app_length;
}

static const char *config_file(const struct words *command)
{
    for (size_t i = 1; i + 1 < command->count; i++)
        if (strcmp(command->items[i], "-c") == 0 || strcmp(command->items[i], "--config") == 0)
            return command->items[i + 1];
    for (size_t i = 1; i < command->count; i++)
        if (strncmp(command->items[i], "--config=", 9) == 0)
            return command->items[i] + 9;
    return "gunicorn.conf.py";
}

static bool config_keeps_code(const struct words *command)
{
    char text[CONFIG_MAX];
    size_t app_length;
    const char *app = application(command, &app_length);
    const char *path = config_file(command);

    if (strncmp(path, "file:", 5) == 0)
        path += 5;
    if (fdio_read_file(path, text, sizeof text) < 0)
        return false;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (keeps_code(line, app, app_length))
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
    if (config_keeps_code(command))
        return RELOAD_RESTART;
    *out_reason = "gunicorn's own HUP; workers of before are ended after stale_worker_timeout";
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
            return fault_set(why, "[server] reload = handover needs listen = ADDRESS");
        return 0;
    case RELOAD_SIGNAL:
        if (profile->kind != SERVER_GUNICORN && profile->kind != SERVER_UVICORN)
            return fault_set(why, "[server] reload = signal: %s does not reload by HUP",
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
        *out_reason = profile->is_known ? "stop and start: listen = ADDRESS would refuse no one"
                                        : "HUP is only forwarded to an unknown command";
    }
    return 0;
}

bool way_recycles(const struct plan *plan, const struct profile *profile)
{
    return profile->kind == SERVER_UVICORN && plan->server.max_requests > 0 &&
           adapt_workers(plan) == 1;
}
