/* Owns the proofs that a socket or a pidfile is stale, and their removal. Never ends a process. */
#include "stage/stale.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "net/dial.h"
#include "proc/group.h"
#include "proc/procfs.h"
#include "stage/tree.h"

enum { ROUNDS_MAX = 3, CLOCK_SLACK_MS = 2000, PIDFILE_SIZE = 128 };

/* One file, held by its directory: what is judged is what is removed. */
struct file {
    int dir;
    const char *name;
    struct tree_stat stat;
};

static int tell_directory(const char *path, const char *parent, struct fault *why)
{
    char real[PATH_MAX];
    int error = errno;

    if ((error == ELOOP || error == ENOTDIR) && realpath(parent, real) && strcmp(real, parent) != 0)
        return fault_set(why, "%s: a symbolic link is on the way: write %s/%s", path, real,
                         strrchr(path, '/') + 1);
    errno = error;
    return fault_errno(why, "open %s", parent);
}

/* 1: it is there; 0: it is not. */
static int find(const char *path, struct file *out, struct fault *why)
{
    char parent[URL_TEXT_MAX];
    const char *name = strrchr(path, '/') + 1;
    int length = (int)(name - path) - 1;

    snprintf(parent, sizeof parent, "%.*s", length > 0 ? length : 1, path);
    int dir = tree_root(parent);
    if (dir < 0)
        return errno == ENOENT ? 0 : tell_directory(path, parent, why);
    *out = (struct file){ .dir = dir, .name = name };
    if (tree_stat(dir, name, false, &out->stat) == 0)
        return 1;
    int result = errno == ENOENT ? 0 : fault_errno(why, "look at %s", path);
    tree_close(dir);
    return result;
}

/* Only if it still is the one that was judged: a server may have made its own meanwhile. */
static int remove_judged(struct holding *holding, const struct file *file, const char *proof,
                         struct fault *why)
{
    struct tree_stat now;

    if (tree_stat(file->dir, file->name, false, &now) < 0)
        return errno == ENOENT ? 0 : fault_errno(why, "look at %s", holding->url->path);
    if (now.inode != file->stat.inode || now.device != file->stat.device)
        return fault_set(why, "%s was made anew while it was looked at", holding->name);
    if (holding->run->is_dry) {
        snprintf(holding->outcome, sizeof holding->outcome, "stale, would be removed (%s)", proof);
        return 0;
    }
    if (tree_remove(file->dir, file->name, false) < 0 && errno != ENOENT)
        return fault_errno(why, "%s is stale (%s), but can't be removed", holding->name, proof);
    holding->did = true;
    size_t used = strlen(holding->outcome);
    snprintf(holding->outcome + used, sizeof holding->outcome - used, "%sstale, removed (%s)",
             used > 0 ? "; " : "", proof);
    return 0;
}

/* 1: no one lives behind it; 0: one does, and it is ours; -1. */
static int prove_dead(struct holding *holding, struct fault *why)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        struct ports_sockets sockets;
        int state = dial_unix_state(holding->url->path);
        if (state == ENOENT)
            return 1;
        if (state != 0 && state != EAGAIN && state != ECONNREFUSED)
            return fault_set(why, "%s can't be asked whether anyone lives behind it: %s",
                             holding->name, strerror(state));
        if (ports_find_unix(holding->url->path, &sockets, why) < 0)
            return -1;
        /* Refused, yet bound: a server between bind and listen. */
        if (state == ECONNREFUSED && sockets.count == 0)
            return 1;
        if (sockets.count == 0)
            return fault_set(why, "%s answers, but no process here has it bound", holding->name);
        int result = holder_settle(holding, &sockets, why);
        if (result <= 0)
            return result;
    }
    return fault_set(why, "%s is taken again as often as its holder is ended", holding->name);
}

int stale_socket(struct holding *holding, struct fault *why)
{
    struct file file;
    int result = find(holding->url->path, &file, why);

    if (result <= 0)
        return result;
    if (!S_ISSOCK(file.stat.mode))
        result = fault_set(why, "%s is no socket: it stays", holding->url->path);
    else
        result = prove_dead(holding, why);
    if (result > 0)
        result = remove_judged(holding, &file, "no one answers", why);
    tree_close(file.dir);
    return result;
}

/* The number at the begin; 0 where there is none. */
static int64_t read_pid(const struct file *file)
{
    char text[PIDFILE_SIZE];
    int fd = tree_file(file->dir, file->name, false);

    if (fd < 0)
        return -1;
    ssize_t size = fdio_read(fd, text, sizeof text - 1);
    tree_close(fd);
    if (size < 0)
        return -1;
    text[size] = '\0';
    const char *digits = text + strspn(text, " \t\r\n");
    char *end;
    int64_t pid = isdigit((unsigned char)*digits) ? strtoll(digits, &end, 10) : 0;
    if (pid <= 0 || pid > INT_MAX || (*end != '\0' && !isspace((unsigned char)*end)))
        return 0;
    return pid;
}

static bool is_servers_program(const struct holding *holding, const struct ports_holder *holder)
{
    const struct words *command = &holding->run->plan->server.command;

    if (command->count == 0)
        return true;
    const char *slash = strrchr(command->items[0], '/');
    return strstr(holder->command, slash ? slash + 1 : command->items[0]) != NULL;
}

/* The clock may have been set meanwhile, so the time alone is no proof. */
static bool is_another(const struct holding *holding, const struct file *file,
                       const struct ports_holder *holder)
{
    int64_t age_ms = holder_age_ms(holder);
    int64_t changed_ms =
        (int64_t)file->stat.changed.tv_sec * 1000 + file->stat.changed.tv_nsec / 1000000;

    if (is_servers_program(holding, holder))
        return false;
    return clock_wall_ms() - age_ms > changed_ms + CLOCK_SLACK_MS;
}

/* That /proc does not show it is no proof that it is not there. */
static bool is_hidden(pid_t pid)
{
    struct procfs_entry entry;

    return group_has(pid) && !procfs_read(pid, &entry);
}

static int judge_pid(struct holding *holding, const struct file *file, pid_t pid, struct fault *why)
{
    struct ports_holder holder;
    char proof[64];
    char shown[300];

    snprintf(proof, sizeof proof, "%d is %s", (int)pid,
             holder_is_us(pid) ? "freshinit" : "what started freshinit");
    if (holder_is_us(pid) || holder_is_above(pid))
        return remove_judged(holding, file, proof, why);
    snprintf(proof, sizeof proof, "no process %d", (int)pid);
    if (!ports_describe(pid, &holder)) {
        if (is_hidden(pid))
            return fault_set(why, "%s names process %d, which lives and may not be looked at here",
                             holding->name, (int)pid);
        return remove_judged(holding, file, proof, why);
    }
    if (is_another(holding, file, &holder))
        return remove_judged(holding, file, "its number was given to another process", why);
    holder_show(&holder, shown, sizeof shown);
    if (!holder_is_server(holding->run, pid))
        return fault_set(why, "%s names %s, which lives: end it, or remove the file yourself",
                         holding->name, shown);
    snprintf(holding->outcome, sizeof holding->outcome, "left to %s, which is ours", shown);
    return 0;
}

int stale_pidfile(struct holding *holding, struct fault *why)
{
    struct file file;
    int result = find(holding->url->path, &file, why);

    if (result <= 0)
        return result;
    int64_t pid = S_ISREG(file.stat.mode) ? read_pid(&file) : 0;
    if (pid < 0)
        result = fault_errno(why, "read %s", holding->url->path);
    else if (pid == 0)
        result = fault_set(why, "%s holds no process number: it stays", holding->url->path);
    else
        result = judge_pid(holding, &file, (pid_t)pid, why);
    tree_close(file.dir);
    return result;
}
