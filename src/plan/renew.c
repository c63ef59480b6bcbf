/*
 * Reads the release again, and puts it where ${FRESHINIT_RELEASE} stands. Everything else is read
 * once.
 */
#include "plan/renew.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/log.h"
#include "plan/environ.h"
#include "plan/expand.h"
#include "plan/release.h"

void renew_tell_config(const struct plan *plan)
{
    struct stat status;

    if (!plan->config || stat(plan->config, &status) < 0)
        return;
    if (status.st_ino == plan->config_inode &&
        status.st_ctim.tv_sec == plan->config_changed.tv_sec &&
        status.st_ctim.tv_nsec == plan->config_changed.tv_nsec)
        return;
    log_event(LOG_WARN, "config.changed", LOG_FIELDS(LOG_TEXT("config", plan->config)),
              "%s was changed, and is read only at the start: restart the container", plan->config);
}

/* From where it came at the start. Variables can't change, so only files are read again. */
static bool read_again(const struct plan *plan, char out[RELEASE_SIZE])
{
    struct fault why;

    fault_clear(&why);
    if (!plan->release_from)
        return false;
    if (plan->release_from == plan->release_file) {
        if (release_from_file(plan->release_file, out, &why) == 0)
            return true;
        log_event(LOG_WARN, "release.unread", LOG_NONE, "%s", fault_line(&why, 0));
        return false;
    }
    if (plan->release_from == plan->seal)
        return release_from_seal(plan->seal, out) != NULL;
    if (strcmp(plan->release_from, ".git/HEAD") == 0)
        return release_from_git(plan->server.workdir ? plan->server.workdir : ".", out);
    return false;
}

/* The new value, and behind it what the server's adaption has added to the old one. */
static void renew_variable(struct plan *plan, const struct env_entry *entry, const char *value)
{
    const char *old = environ_get(plan, entry->name);
    size_t length = entry->value ? strlen(entry->value) : 0;
    const char *added =
        old && length > 0 && strncmp(old, entry->value, length) == 0 ? old + length : "";
    size_t size = strlen(value) + strlen(added) + 1;
    char *text = arena_take(size);

    snprintf(text, size, "%s%s", value, added);
    environ_put(plan, entry->name, text);
}

/* The values of [env] that hold the release. */
static void renew_variables(struct plan *plan)
{
    struct expand expand = { .environment = plan->given, .release = plan->release };
    struct fault why;

    fault_clear(&why);
    for (size_t i = 0; i < plan->env_count; i++) {
        const struct env_entry *entry = &plan->env[i];
        const char *value;
        if (strstr(entry->source.raw, "FRESHINIT_RELEASE") &&
            expand_text(&expand, entry->source.raw, &value, &why) == 0)
            renew_variable(plan, entry, value);
    }
    environ_put(plan, "FRESHINIT_RELEASE", plan->release);
}

const struct plan *renew_plan(const struct plan *plan)
{
    char release[RELEASE_SIZE];
    struct fault why;

    fault_clear(&why);
    if (!read_again(plan, release) || strcmp(release, plan->release) == 0 || arena_reopen(&why) < 0)
        return plan;
    struct plan *renewed = arena_take(sizeof *renewed);
    *renewed = *plan;
    renewed->release = arena_text(release, strlen(release));
    renew_variables(renewed);
    return renewed;
}
