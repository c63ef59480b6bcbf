/*
 * One row for each server. The evidence for each value is in the manual.
 */
#include "server/profiles.h"

#include <signal.h>
#include <string.h>

#include "base/attr.h"

static const struct profile profiles[] = {
    /* With UvicornWorker INT hangs until the graceful timeout; TERM never does. */
    { SERVER_GUNICORN, "gunicorn", SIGTERM, true, true, PASS_GUNICORN, true },
    { SERVER_UVICORN, "uvicorn", SIGTERM, true, false, PASS_ONE_FD, false },
    { SERVER_HYPERCORN, "hypercorn", SIGTERM, true, false, PASS_WORDS, false },
    { SERVER_GRANIAN, "granian", SIGTERM, true, false, PASS_NEVER, false },
    { SERVER_GENERIC, "generic", 0, false, false, PASS_PROTOCOL, false },
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static const struct profile *by_name(const char *name)
{
    for (size_t i = 0; i < COUNT(profiles); i++)
        if (strcmp(profiles[i].name, name) == 0 && profiles[i].is_known)
            return &profiles[i];
    return NULL;
}

/* python, python3, python3.12, pypy3 */
static bool is_python(const char *name)
{
    return strncmp(name, "python", 6) == 0 || strncmp(name, "pypy", 4) == 0;
}

/* The server in `python -m uvicorn` or `python /venv/bin/gunicorn`. */
static const struct profile *after_python(const struct words *command)
{
    for (size_t i = 1; i < command->count; i++) {
        const char *word = command->items[i];
        if (strcmp(word, "-m") == 0)
            return i + 1 < command->count ? by_name(command->items[i + 1]) : NULL;
        if (word[0] != '-')
            return by_name(base_name(word));
        /* The options of python that take a word of their own. */
        if (strcmp(word, "-W") == 0 || strcmp(word, "-X") == 0)
            i++;
    }
    return NULL;
}

/* The server in `sh -c 'exec gunicorn app:app'`. Without exec the shell stays in between. */
static const struct profile *after_shell(const struct words *command)
{
    char name[64] = "";
    const char *script = command->count == 3 ? command->items[2] : "";

    if (command->count != 3 || strcmp(command->items[1], "-c") != 0 ||
        strncmp(script, "exec ", 5) != 0)
        return NULL;
    script += 5 + strspn(script + 5, " ");
    size_t length = strcspn(script, " \t;&|");
    if (length >= sizeof name)
        return NULL;
    memcpy(name, script, length);
    return by_name(base_name(name));
}

static const struct profile *by_command(const struct words *command)
{
    const char *name = command->count > 0 ? base_name(command->items[0]) : "";

    if (is_python(name))
        return after_python(command);
    if (strcmp(name, "sh") == 0 || strcmp(name, "bash") == 0 || strcmp(name, "dash") == 0)
        return after_shell(command);
    return by_name(name);
}

const struct profile *profiles_find(enum server_kind kind, const struct words *command)
{
    const struct profile *found = kind == SERVER_AUTO ? by_command(command) : NULL;

    if (kind == SERVER_AUTO && !found)
        kind = SERVER_GENERIC;
    for (size_t i = 0; i < COUNT(profiles) && !found; i++)
        if (profiles[i].kind == kind)
            found = &profiles[i];
    return found;
}

bool profiles_asks_stop(const struct profile *profile, int number)
{
    if (number == SIGTERM)
        return true;
    return profile->is_known && (number == SIGINT || number == SIGQUIT);
}

bool profiles_is_for_master(const struct profile *profile, int number)
{
    static const int signals[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU, SIGWINCH };

    for (size_t i = 0; i < COUNT(signals); i++)
        if (signals[i] == number)
            return profile->is_known;
    return false;
}
