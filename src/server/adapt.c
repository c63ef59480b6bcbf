/*
 * Hands sockets and limits on in each server's own words. Runs while the plan is made.
 */
#include "server/adapt.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/fdio.h"
#include "plan/draft.h"
#include "plan/environ.h"

/* The number of the first descriptor that a child is given. */
enum { FIRST_LISTENER = 3, TEXT_MAX = 2000 };

/* What follows the option's name in its word: "" where the value is the next word, NULL where the
 * word is another one. A letter's value may stand right behind it: -w4. */
static const char *behind(const char *word, const char *name)
{
    size_t length = strlen(name);
    bool is_letter = length == 2;

    if (strncmp(word, name, length) != 0)
        return NULL;
    if (word[length] == '=')
        return word + length + 1;
    return word[length] == '\0' || is_letter ? word + length : NULL;
}

bool adapt_has_option(const struct words *words, const char *name)
{
    for (size_t i = 1; i < words->count; i++)
        if (behind(words->items[i], name))
            return true;
    return false;
}

static const char *option_value(const struct words *words, const char *name)
{
    for (size_t i = 1; i < words->count; i++) {
        const char *value = behind(words->items[i], name);
        if (value && *value != '\0')
            return value;
        if (value && i + 1 < words->count)
            return words->items[i + 1];
    }
    return NULL;
}

const char *adapt_option_value(const struct words *words, const char *name, const char *letter)
{
    const char *value = option_value(words, name);

    return value ? value : option_value(words, letter);
}

void adapt_read_config(const struct plan *plan, char *out, size_t out_size)
{
    const char *workdir = plan->server.workdir;
    const char *name = adapt_option_value(&plan->server.command, "--config", "-c");
    char path[PATH_MAX];

    if (!name)
        name = "gunicorn.conf.py";
    if (strncmp(name, "file:", 5) == 0)
        name += 5;
    bool is_below = workdir && name[0] != '/';
    snprintf(path, sizeof path, "%s%s%s", is_below ? workdir : "", is_below ? "/" : "", name);
    if (fdio_read_file(path, out, out_size) < 0)
        out[0] = '\0';
}

int adapt_workers(const struct plan *plan)
{
    const struct words *command = &plan->server.command;
    const char *text = adapt_option_value(command, "--workers", "-w");

    if (!text)
        text = environ_get(plan, "WEB_CONCURRENCY");
    long workers = text ? strtol(text, NULL, 10) : 1;
    return workers > 1 && workers < 10000 ? (int)workers : 1;
}

static void note(struct plan *plan, const char *text, const char *reason)
{
    char line[TEXT_MAX + 100];

    if (plan->added_count == ADDED_MAX)
        return;
    snprintf(line, sizeof line, "%s (%s)", text, reason);
    plan->added[plan->added_count++] = arena_text(line, strlen(line));
}

/* NAME=value, or one more word of a variable that holds words. */
static int put_variable(struct plan *plan, const char *name, const char *value, const char *reason,
                        struct fault *why)
{
    const char *old = strcmp(name, "GUNICORN_CMD_ARGS") == 0 ? environ_get(plan, name) : NULL;
    char text[TEXT_MAX];
    char noted[TEXT_MAX + 64];

    if (snprintf(text, sizeof text, "%s%s%s", old ? old : "", old ? " " : "", value) >=
        (int)sizeof text)
        return fault_set(why, "%s is too long to add \"%s\"", name, value);
    environ_put(plan, name, text);
    snprintf(noted, sizeof noted, "%s=%s", name, text);
    note(plan, noted, reason);
    return 0;
}

static void put_words(struct plan *plan, const char *option, const char *value, const char *reason)
{
    struct words *command = &plan->server.command;
    char **items = arena_take((command->count + 3) * sizeof *items);
    char noted[TEXT_MAX];

    memcpy(items, command->items, command->count * sizeof *items);
    items[command->count] = arena_text(option, strlen(option));
    items[command->count + 1] = arena_text(value, strlen(value));
    *command = (struct words){ .items = items, .count = command->count + 2 };
    snprintf(noted, sizeof noted, "%s %s", option, value);
    note(plan, noted, reason);
}

/* The options by which each server is told to bind by itself. */
static const char *own_bind(const struct words *command)
{
    static const char *const options[] = { "--bind", "-b",     "--fd",  "--uds",
                                           "--host", "--port", "--pid", "-p" };

    for (size_t i = 0; i < COUNT(options); i++)
        if (adapt_has_option(command, options[i]))
            return options[i];
    return NULL;
}

static bool has_unix(const struct words *listen)
{
    for (size_t i = 0; i < listen->count; i++)
        if (strncmp(listen->items[i], "unix:", 5) == 0)
            return true;
    return false;
}

/* By the protocol of systemd: descriptors from 3 on, for the process LISTEN_PID alone. */
static int pass_by_protocol(struct plan *plan, struct fault *why)
{
    char count[16];

    snprintf(count, sizeof count, "%zu", plan->server.listen.count);
    if (put_variable(plan, "LISTEN_FDS", count, "listen", why) < 0)
        return -1;
    environ_put(plan, "LISTEN_PID", "self");
    return 0;
}

static int pass_to_gunicorn(struct plan *plan, struct fault *why)
{
    char text[TEXT_MAX] = "";
    size_t used = 0;

    /* gunicorn removes the file of a unix socket that it ends with, unless it came this way. */
    if (has_unix(&plan->server.listen))
        return pass_by_protocol(plan, why);
    for (size_t i = 0; i < plan->server.listen.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s--bind fd://%zu",
                                 i > 0 ? " " : "", FIRST_LISTENER + i);
    return put_variable(plan, "GUNICORN_CMD_ARGS", text, "listen", why);
}

static int pass_listeners(struct plan *plan, const struct profile *profile, struct fault *why)
{
    const struct words *command = &plan->server.command;
    const char *own = own_bind(command);
    char text[32];

    if (profile->is_known && own)
        return draft_fault(plan, KEY_SERVER, "listen", why,
                           "the command has %s itself: drop one of the two", own);
    if (profile->passing == PASS_ONE_FD && plan->server.listen.count > 1)
        return draft_fault(plan, KEY_SERVER, "listen", why, "%s takes one address only",
                           profile->name);
    switch (profile->passing) {
    case PASS_GUNICORN:
        return pass_to_gunicorn(plan, why);
    case PASS_ONE_FD:
        snprintf(text, sizeof text, "%d", FIRST_LISTENER);
        return put_variable(plan, "UVICORN_FD", text, "listen", why);
    case PASS_WORDS:
        for (size_t i = 0; i < plan->server.listen.count; i++) {
            snprintf(text, sizeof text, "fd://%zu", FIRST_LISTENER + i);
            put_words(plan, "--bind", text, "listen");
        }
        return 0;
    case PASS_PROTOCOL:
        return pass_by_protocol(plan, why);
    case PASS_NEVER:
        break;
    }
    return draft_fault(plan, KEY_SERVER, "listen", why,
                       "%s can't take a listening socket: drop listen, and a reload stops and "
                       "starts it",
                       profile->name);
}

static int pass_limits(struct plan *plan, const struct profile *profile, struct fault *why)
{
    const struct server_plan *server = &plan->server;
    char limit[32];
    char jitter[32];
    char text[128];

    snprintf(limit, sizeof limit, "%lld", (long long)server->max_requests);
    snprintf(jitter, sizeof jitter, "%lld", (long long)server->max_requests_jitter);
    if (adapt_has_option(&server->command, profile->kind == SERVER_UVICORN ? "--limit-max-requests"
                                                                           : "--max-requests"))
        return 0;
    switch ((int)profile->kind) {
    case SERVER_GUNICORN:
        snprintf(text, sizeof text, "--max-requests %s --max-requests-jitter %s", limit, jitter);
        return put_variable(plan, "GUNICORN_CMD_ARGS", text, "max_requests", why);
    case SERVER_UVICORN:
        return put_variable(plan, "UVICORN_LIMIT_MAX_REQUESTS", limit, "max_requests", why);
    case SERVER_HYPERCORN:
        put_words(plan, "--max-requests", limit, "max_requests");
        put_words(plan, "--max-requests-jitter", jitter, "max_requests_jitter");
        return 0;
    default:
        return draft_fault(plan, KEY_SERVER, "max_requests", why, "%s has no such limit",
                           profile->name);
    }
}

int adapt_plan(struct plan *plan, const struct profile *profile, struct fault *why)
{
    int result = 0;

    if (plan->server.listen.count > 0 && pass_listeners(plan, profile, why) < 0)
        result = -1;
    if (plan->server.max_requests > 0 && pass_limits(plan, profile, why) < 0)
        result = -1;
    return result;
}
