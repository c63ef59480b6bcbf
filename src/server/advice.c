/*
 * Looks at the command, the environment and a few files. Each piece of advice is true as it stands
 * there, and has its remedy in the same line.
 */
#include "server/advice.h"

#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "plan/environ.h"
#include "server/adapt.h"

enum { DOCKER_MS = 10000, KUBERNETES_MS = 30000 };

/* Is gunicorn told so: on the command line, in GUNICORN_CMD_ARGS, or in its configuration, where
 * the option is called `setting`? */
static bool is_told(const struct plan *plan, const char *option, const char *setting)
{
    const char *more = environ_get(plan, "GUNICORN_CMD_ARGS");
    char text[ADAPT_CONFIG_MAX];

    if (adapt_has_option(&plan->server.command, option) || (more && strstr(more, option)))
        return true;
    adapt_read_config(plan, text, sizeof text);
    return strstr(text, setting);
}

static void advise_grace(const struct plan *plan)
{
    bool is_kubernetes = environ_get(plan, "KUBERNETES_SERVICE_HOST") != NULL;
    int64_t limit_ms = is_kubernetes ? KUBERNETES_MS : DOCKER_MS;
    char ours[32];
    char theirs[32];

    if (plan->server.stop_timeout_ms < limit_ms)
        return;
    log_event(LOG_WARN, "advice.grace", LOG_NONE,
              "advice: [server] stop_timeout = %s, but %s kills all after %s unless it is told "
              "otherwise: give it more (%s) or make stop_timeout shorter",
              text_show_ms(plan->server.stop_timeout_ms, ours, sizeof ours),
              is_kubernetes ? "Kubernetes" : "Docker",
              text_show_ms(limit_ms, theirs, sizeof theirs),
              is_kubernetes ? "terminationGracePeriodSeconds"
                            : "stop_grace_period, docker stop -t");
}

/* May the server's user make files there? */
static bool may_write(const struct plan *plan, const char *folder)
{
    const struct identity *user = &plan->server.user;
    uid_t uid = user->text ? user->uid : geteuid();
    gid_t gid = user->text ? user->gid : getegid();
    struct stat st;

    if (stat(folder, &st) < 0 || !S_ISDIR(st.st_mode))
        return false;
    /* Who is already that user asks the kernel, which also knows of read-only file systems. */
    if (uid == geteuid())
        return access(folder, W_OK | X_OK) == 0;
    if (st.st_uid == uid)
        return st.st_mode & S_IWUSR;
    for (size_t i = 0; i < user->group_count; i++)
        if (st.st_gid == user->groups[i])
            return st.st_mode & S_IWGRP;
    return st.st_mode & (st.st_gid == gid ? S_IWGRP : S_IWOTH);
}

static void advise_control_socket(const struct plan *plan)
{
    const char *runtime = environ_get(plan, "XDG_RUNTIME_DIR");
    const char *written = environ_get(plan, "HOME");
    const char *home = plan->server.user.text ? plan->server.user.home : written;

    if (runtime || !home || may_write(plan, home) ||
        is_told(plan, "--no-control-socket", "control_socket") ||
        is_told(plan, "--control-socket", "control_socket"))
        return;
    log_event(LOG_WARN, "advice.control_socket", LOG_NONE,
              "advice: gunicorn 25.1 and newer keep a control socket in HOME, and %s can't be "
              "written: add --no-control-socket there, or HOME = /tmp to [env]",
              home);
}

static void advise_heartbeat(const struct plan *plan)
{
    const char *written = environ_get(plan, "TMPDIR");
    const char *folder = written ? written : "/tmp";
    struct statfs fs;

    if (statfs(folder, &fs) < 0 || fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC ||
        access("/dev/shm", W_OK) < 0 || is_told(plan, "--worker-tmp-dir", "worker_tmp_dir"))
        return;
    log_event(LOG_WARN, "advice.heartbeat", LOG_NONE,
              "advice: gunicorn's workers beat by a file in %s, which is on a disk: when that is "
              "slow they are killed as if they hung: add --worker-tmp-dir /dev/shm",
              folder);
}

static bool has_stage_for(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->stage_count; i++)
        if (strstr(plan->stages[i].subject, path))
            return true;
    return false;
}

/* gunicorn does not start while its pidfile names a process that lives and is not itself. */
static void advise_pidfile(const struct plan *plan)
{
    const char *path = adapt_option_value(&plan->server.command, "--pid", "-p");
    char text[32];
    char process[32];

    if (!path || has_stage_for(plan, path) || fdio_read_file(path, text, sizeof text) <= 0)
        return;
    long pid = strtol(text, NULL, 10);
    snprintf(process, sizeof process, "/proc/%ld", pid);
    if (pid <= 0 || access(process, F_OK) < 0)
        return;
    log_event(LOG_WARN, "advice.pidfile", LOG_FIELDS(LOG_NUMBER("pid", pid)),
              "advice: %s says %ld, and %s: gunicorn will not start beside it: remove it by a "
              "stage with free = pidfile://%s",
              path, pid, pid == getpid() ? "that is freshinit now" : "that process lives", path);
}

static void advise_jitter(const struct plan *plan, const struct profile *profile)
{
    const struct words *command = &plan->server.command;
    bool has_limit = plan->server.max_requests > 0 || adapt_has_option(command, "--max-requests");
    bool has_jitter =
        plan->server.max_requests_jitter > 0 || adapt_has_option(command, "--max-requests-jitter");

    if (profile->kind != SERVER_GUNICORN && profile->kind != SERVER_HYPERCORN)
        return;
    if (!has_limit || has_jitter || adapt_workers(plan) == 1)
        return;
    log_event(LOG_WARN, "advice.jitter", LOG_NONE,
              "advice: max_requests without max_requests_jitter replaces all workers at the same "
              "time: add a jitter of about a tenth of it");
}

static void advise_reloader(const struct plan *plan, const struct profile *profile)
{
    if (!adapt_has_option(&plan->server.command, "--reload"))
        return;
    log_event(LOG_WARN, "advice.reload", LOG_NONE,
              "advice: --reload of %s is for development: it watches every file and can serve half "
              "of a release: drop it, and reload by HUP to freshinit",
              profile->name);
}

void advice_give(const struct plan *plan, const struct profile *profile)
{
    if (!plan->advice || plan->init.is_tini || plan->server.command.count == 0)
        return;
    advise_grace(plan);
    if (!profile->is_known)
        return;
    if (profile->kind == SERVER_GUNICORN) {
        advise_control_socket(plan);
        advise_heartbeat(plan);
        advise_pidfile(plan);
    }
    advise_jitter(plan, profile);
    advise_reloader(plan, profile);
}
