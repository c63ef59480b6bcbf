/*
 * Who holds the port: only what freshinit started may. A listener that can't be looked into as
 * ourselves is looked at as the server's user, in a child.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "cmd/answer.h"
#include "cmd/verify_parts.h"
#include "proc/privs.h"
#include "proc/reap.h"
#include "proc/spawn.h"
#include "stage/ports.h"

enum { LOOK_MS = 5000 };

/* What one look found, for all listeners together and for each. */
struct looked {
    struct ports_sockets sockets;
    struct ports_holders holders[PORTS_SOCKETS_MAX];
};

static void look(struct looked *looked)
{
    for (size_t i = 0; i < looked->sockets.count; i++) {
        const struct ports_sockets one = { .items = { looked->sockets.items[i] }, .count = 1 };
        ports_holders(&one, &looked->holders[i]);
    }
}

static int look_in_child(const void *context)
{
    /* Ours to write: the pages are shared for just that. */
    look((struct looked *)(uintptr_t)context);
    return 0;
}

/* As the user of the server, who may look into its own processes. False: it could not be done. */
static bool look_as_server(const struct verify *verify, struct looked *looked)
{
    struct identity user = { .text = "of the server", .home = "/" };
    struct spawn what = { .body = look_in_child, .context = looked, .privs = { .user = &user } };
    int64_t deadline_ms = clock_ms() + LOOK_MS;
    struct fault unused;
    struct stat st;
    char path[32];
    pid_t pid;

    snprintf(path, sizeof path, "/proc/%d", (int)verify->running->record.server);
    if (stat(path, &st) < 0 || st.st_uid == 0)
        return false;
    user.uid = st.st_uid;
    user.gid = st.st_gid;
    fault_clear(&unused);
    if (privs_may_become(&user, &unused) < 0 || spawn_start(&what, &pid, &unused) < 0)
        return false;
    while (clock_left(deadline_ms) != 0) {
        struct reap_event event = reap_next();
        if (event.kind == REAP_ENDED && event.pid == pid)
            return reap_code(event.status) == 0;
        clock_rest(1);
    }
    return false;
}

static bool is_ours(const struct verify *verify, pid_t pid)
{
    if (pid == verify->running->record.pid)
        return true;
    for (size_t i = 0; i < verify->processes->count; i++)
        if (verify->processes->items[i].pid == pid)
            return true;
    return false;
}

/* The first holder of a listener that is none of ours, or NULL. */
static const struct ports_holder *find_stranger(const struct verify *verify,
                                                const struct ports_holders *holders)
{
    for (size_t i = 0; i < holders->count; i++)
        if (!is_ours(verify, holders->items[i].pid))
            return &holders->items[i];
    return NULL;
}

static void judge(struct verify *verify, const struct looked *mine, const struct looked *theirs,
                  const char *name)
{
    struct finding found = { .mark = MARK_FAIL,
                             .name = "port",
                             .fix = "end it; [stage port] free = tcp://... with kill = yes does so "
                                    "before each start" };
    size_t unknown = 0;

    for (size_t i = 0; i < mine->sockets.count; i++) {
        const struct ports_holder *stranger = find_stranger(verify, &mine->holders[i]);
        if (!stranger && theirs)
            stranger = find_stranger(verify, &theirs->holders[i]);
        if (stranger) {
            checklist_add(&verify->list, &found,
                          "%s is also held by %d (%s), which freshinit did not start", name,
                          (int)stranger->pid, stranger->command);
            return;
        }
        unknown += mine->holders[i].count == 0 && (!theirs || theirs->holders[i].count == 0);
    }
    if (unknown > 0) {
        found.mark = mine->sockets.count > 1 ? MARK_FAIL : MARK_SKIPPED;
        found.fix = "run verify as root with CAP_SYS_PTRACE (docker exec --privileged) to see who "
                    "they are";
        checklist_add(&verify->list, &found,
                      "%s: %zu of %zu listeners belong to processes that can't be looked into",
                      name, unknown, mine->sockets.count);
    } else {
        found.mark = MARK_OK;
        checklist_add(&verify->list, &found, "%s is held by our server alone", name);
    }
}

static bool has_gaps(const struct looked *looked)
{
    for (size_t i = 0; i < looked->sockets.count; i++)
        if (looked->holders[i].count == 0)
            return true;
    return false;
}

static void check_address(struct verify *verify, const struct ports_address *address,
                          const char *name)
{
    struct finding found = { .mark = MARK_SKIPPED, .name = "port" };
    struct looked *mine = arena_pages(sizeof *mine, false);
    struct looked *theirs = arena_pages(sizeof *theirs, true);
    struct fault why;

    fault_clear(&why);
    if (!mine || !theirs || ports_find(address, &mine->sockets, &why) < 0 ||
        mine->sockets.count == 0) {
        found.mark = verify->running->is_found && mine && why.count == 0 ? MARK_FAIL : MARK_SKIPPED;
        found.fix = "is the server bound to another port than [health] url names?";
        checklist_add(&verify->list, &found, "%s: %s", name,
                      why.count > 0 ? fault_line(&why, 0) : "nobody listens");
        return;
    }
    look(mine);
    theirs->sockets = mine->sockets;
    bool has_theirs = has_gaps(mine) && look_as_server(verify, theirs);
    judge(verify, mine, has_theirs ? theirs : NULL, name);
}

void verify_port(struct verify *verify)
{
    struct answer_target target;
    struct ports_address address;
    struct fault why;
    char name[URL_PART_MAX + 16];

    fault_clear(&why);
    if (!verify->running->is_found || answer_target(verify->plan, NULL, &target, &why) < 0 ||
        target.url.port == 0)
        return;
    snprintf(name, sizeof name, "%s:%u", target.url.host, (unsigned)target.url.port);
    if (ports_address(target.url.host, target.url.port, &address, &why) < 0) {
        checklist_add(&verify->list, &(struct finding){ .mark = MARK_SKIPPED, .name = "port" },
                      "%s is no address of numbers, so its holder is not looked for", name);
        return;
    }
    check_address(verify, &address, name);
}
