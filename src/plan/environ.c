/*
 * Makes the environment of children. Never logs a value.
 */
#include "plan/environ.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/fdio.h"
#include "base/log.h"
#include "plan/expand.h"

enum {
    VARIABLES_MAX = 16 * 1024,
    SECRET_SIZE = 16 * 1024,
    SECRETS_TOTAL_MAX = 128 * 1024,
    SPARE = 8 /* FRESHINIT_RELEASE, the end, and what environ_put adds */
};

/* The array as it grows; NULL is behind the last one. */
struct list {
    char **items;
    size_t count;
};

/* What is not passed on: a fresh gunicorn takes GUNICORN_PID for a hand-over from another one. */
static bool is_stray(const char *variable)
{
    return strncmp(variable, "GUNICORN_", 9) == 0 &&
           (strncmp(variable + 9, "PID=", 4) == 0 || strncmp(variable + 9, "FD=", 3) == 0);
}

/* "NAME=value", in the place of an older NAME where there is one. */
static void set(struct list *list, const char *name, size_t length, const char *value)
{
    size_t size = strlen(value);
    char *variable = arena_take(length + size + 2);
    size_t at = expand_find(list->items, name, length);

    memcpy(variable, name, length);
    variable[length] = '=';
    memcpy(variable + length + 1, value, size + 1);
    list->items[at] = variable;
    if (at == list->count)
        list->count++;
}

/* The length of X in "X_FILE=/path"; 0 for any other variable. */
static size_t secret_length(const char *variable)
{
    size_t length = strcspn(variable, "=");

    if (length <= 5 || memcmp(variable + length - 5, "_FILE", 5) != 0)
        return 0;
    if (variable[length] != '=' || variable[length + 1] != '/')
        return 0;
    /* What OpenSSL reads, and what is a key of ours. */
    if (strncmp(variable, "SSL_CERT_FILE=", 14) == 0 || strncmp(variable, "FRESHINIT_", 10) == 0)
        return 0;
    return length - 5;
}

/* Reads the file of a secret and puts X in the place of X_FILE. */
static int take_secret(struct list *list, size_t at, size_t *total, struct fault *why)
{
    char content[SECRET_SIZE];
    const char *variable = list->items[at];
    size_t length = secret_length(variable);
    const char *path = variable + length + 6;
    ssize_t size = fdio_read_file(path, content, sizeof content);

    if (list->items[expand_find(list->items, variable, length)])
        return fault_set(why, "%.*s and %.*s_FILE are both set", (int)length, variable, (int)length,
                         variable);
    if (size < 0)
        return fault_errno(why, "%.*s_FILE: %s", (int)length, variable, path);
    if (strlen(content) != (size_t)size)
        return fault_set(why, "%.*s_FILE: %s holds a NUL byte", (int)length, variable, path);
    while (size > 0 && (content[size - 1] == '\n' || content[size - 1] == '\r'))
        content[--size] = '\0';
    *total += (size_t)size;
    if (*total > SECRETS_TOTAL_MAX)
        return fault_set(why, "all secrets together are over %d bytes", SECRETS_TOTAL_MAX);
    char *made = arena_take(length + (size_t)size + 2);
    memcpy(made, variable, length);
    made[length] = '=';
    memcpy(made + length + 1, content, (size_t)size);
    explicit_bzero(content, sizeof content);
    list->items[at] = made;
    return 0;
}

static int take_secrets(struct list *list, bool is_lenient, struct fault *why)
{
    int result = 0;
    size_t total = 0;

    for (size_t i = 0; i < list->count; i++) {
        struct fault detail;
        if (secret_length(list->items[i]) == 0)
            continue;
        fault_clear(&detail);
        if (take_secret(list, i, &total, &detail) == 0)
            continue;
        if (is_lenient)
            log_event(LOG_WARN, "config.secret", LOG_NONE, "%s", fault_line(&detail, 0));
        else
            result = fault_set(why, "%s", fault_line(&detail, 0));
    }
    return result;
}

/* A HOME that was written down is everybody's, whatever /etc/passwd says. */
static void set_homes(struct plan *plan, const char *home)
{
    plan->server.user.home = home;
    for (size_t i = 0; i < plan->stage_count; i++)
        plan->stages[i].user.home = home;
}

int environ_build(struct plan *plan, char *const *environment, bool is_lenient, struct fault *why)
{
    struct list list = { 0 };
    size_t count = 0;

    while (environment[count])
        count++;
    if (count > VARIABLES_MAX)
        return fault_set(why, "there are more than %d environment variables", VARIABLES_MAX);
    list.items = arena_take((count + plan->env_count + SPARE) * sizeof *list.items);
    for (size_t i = 0; i < count; i++)
        if (!is_stray(environment[i]))
            list.items[list.count++] = environment[i];
    if (plan->release[0] != '\0')
        set(&list, "FRESHINIT_RELEASE", 17, plan->release);
    for (size_t i = 0; i < plan->env_count; i++) {
        const struct env_entry *entry = &plan->env[i];
        if (!entry->value)
            continue;
        set(&list, entry->name, strlen(entry->name), entry->value);
        if (strcmp(entry->name, "HOME") == 0)
            set_homes(plan, entry->value);
    }
    plan->environment = list.items;
    return plan->secrets ? take_secrets(&list, is_lenient, why) : 0;
}

const char *environ_get(const struct plan *plan, const char *name)
{
    return plan->environment ? expand_lookup(plan->environment, name, strlen(name)) : NULL;
}

void environ_put(struct plan *plan, const char *name, const char *value)
{
    struct list list = { .items = plan->environment };

    while (list.items[list.count])
        list.count++;
    set(&list, name, strlen(name), value);
    list.items[list.count] = NULL;
}
