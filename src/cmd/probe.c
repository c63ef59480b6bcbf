/*
 * Asks a server that was just started until it answers. An older generation may listen on the same
 * address: the kernel is told which connections are a probe's, and where it can't be told, they are
 * followed to the process that took them.
 */
#include "cmd/probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/url.h"
#include "net/dial.h"
#include "net/http.h"
#include "net/ready.h"
#include "net/wire.h"
#include "plan/draft.h"
#include "plan/print.h"
#include "proc/procfs.h"
#include "proc/twin.h"
#include "server/profiles.h"
#include "stage/ports.h"

enum {
    PAUSE_MS = 50, /* between two tries at first; later a tenth of what it has taken so far, */
    PAUSE_MOST_MS = 1000,
    TRY_MS = 3000,        /* for one of them */
    LEAST_TRY_MS = 300,   /* a shorter one would hide why the one before it failed */
    STAY_ALIVE_MS = 3000, /* where no one can tell who answers, */
    BLIND_TRY_MS = 1000,  /* and for one try then: PID 1 has more patience than that */
    TARGET_SIZE = 512
};

/* What is asked: the server of this process group, on its own listeners. */
struct probe {
    const struct url *url;
    pid_t group;
    const struct listeners *listeners;
    int64_t began_ms;
    int64_t deadline_ms;
};

static int64_t try_until(const struct probe *probe)
{
    int64_t until_ms = clock_ms() + TRY_MS;

    return until_ms < probe->deadline_ms ? until_ms : probe->deadline_ms;
}

static void pause_before_next(const struct probe *probe)
{
    int64_t tenth_ms = (clock_ms() - probe->began_ms) / 10;

    clock_rest(tenth_ms < PAUSE_MS        ? PAUSE_MS
               : tenth_ms > PAUSE_MOST_MS ? PAUSE_MOST_MS
                                          : tenth_ms);
}

/* Who has taken our connection. */
enum taker { TAKER_NOBODY, TAKER_SERVER, TAKER_OTHER, TAKER_HIDDEN };

/* The inode of the connection's other end out of one line of the kernel's table; 0 for any other
 * line, and while nobody has accepted it. */
static uint64_t inode_in(const char *line, unsigned server, unsigned client)
{
    unsigned local = 0;
    unsigned remote = 0;
    const char *colon = strchr(line, ':');

    /* "  12: ADDRESS:PORT ADDRESS:PORT STATE QUEUES TIMER RETRANSMITS UID TIMEOUT INODE ..." */
    colon = colon ? strchr(colon + 1, ':') : NULL;
    if (!colon)
        return 0;
    char *next;
    local = (unsigned)strtoul(colon + 1, &next, 16);
    colon = strchr(next, ':');
    if (!colon)
        return 0;
    remote = (unsigned)strtoul(colon + 1, &next, 16);
    if (local != server || remote != client)
        return 0;
    for (int field = 0; field < 6; field++) {
        next += strspn(next, " ");
        next += strcspn(next, " ");
    }
    return strtoull(next, NULL, 10);
}

static uint64_t find_inode(const char *table, unsigned server, unsigned client)
{
    struct wire wire;
    struct fault why;
    char line[512];
    uint64_t inode = 0;
    int fd = open(table, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    fault_clear(&why);
    wire_open(&wire, fd, clock_ms() + TRY_MS);
    while (inode == 0 && wire_line(&wire, line, sizeof line, &why) == 0)
        inode = inode_in(line, server, client);
    wire_close(&wire);
    return inode;
}

static enum taker taker_of(int fd, pid_t group)
{
    struct sockaddr_storage ours = { 0 };
    struct sockaddr_storage theirs = { 0 };
    socklen_t ours_length = sizeof ours;
    socklen_t theirs_length = sizeof theirs;
    struct ports_sockets sockets = { .count = 1 };
    struct ports_holders holders;
    struct procfs_entry entry;

    if (getsockname(fd, (struct sockaddr *)&ours, &ours_length) < 0 ||
        getpeername(fd, (struct sockaddr *)&theirs, &theirs_length) < 0 ||
        (ours.ss_family != AF_INET && ours.ss_family != AF_INET6))
        return TAKER_HIDDEN;
    uint64_t inode = find_inode("/proc/net/tcp", listen_port(&theirs), listen_port(&ours));
    if (inode == 0)
        inode = find_inode("/proc/net/tcp6", listen_port(&theirs), listen_port(&ours));
    if (inode == 0)
        return TAKER_NOBODY;
    sockets.items[0].inode = inode;
    ports_holders(&sockets, &holders);
    for (size_t i = 0; i < holders.count; i++)
        if (procfs_read(holders.items[i].pid, &entry) && procfs_belongs(&entry, group))
            return TAKER_SERVER;
    return holders.count > 0 ? TAKER_OTHER : TAKER_HIDDEN;
}

/* Waits until somebody has taken the connection. */
static enum taker await_taker(int fd, pid_t group, int64_t deadline_ms)
{
    enum taker taker;

    while ((taker = taker_of(fd, group)) == TAKER_NOBODY && clock_left(deadline_ms) > 0)
        clock_rest(1);
    return taker;
}

/* The request goes out in two parts: its end only when the right server has taken it. */
static int finish_request(struct wire *wire, const struct http_query *query, struct fault *why)
{
    struct http_answer answer;

    if (wire_send(wire, "\r\n", 2, why) < 0 || http_receive(wire, query, &answer, why) < 0)
        return -1;
    if (answer.status < 200 || answer.status >= 400)
        return fault_set(why, "it answers with status %d", answer.status);
    return 0;
}

static void admit(int fd, int family, const void *context)
{
    const struct probe *probe = context;

    twin_admit(probe->listeners, fd, family);
}

/* One connection. `out_taker` says whether its failure means anything. */
static int ask_once(const struct probe *probe, enum taker *out_taker, struct fault *why)
{
    int64_t deadline_ms = try_until(probe);
    const struct dial_hook hook = { .before = admit, .context = probe };
    const struct url *url = probe->url;
    const struct http_query query = { .url = url, .deadline_ms = deadline_ms };
    bool is_http = strcmp(url->scheme, "http") == 0;
    struct wire wire;
    int fd = dial_hooked(url, &hook, deadline_ms, why);

    *out_taker = TAKER_NOBODY;
    if (fd < 0)
        return -1;
    wire_open(&wire, fd, deadline_ms);
    int result = is_http ? http_begin(&wire, &query, why) : 0;
    if (result == 0)
        *out_taker = await_taker(fd, probe->group, deadline_ms);
    if (result == 0 && *out_taker == TAKER_SERVER && is_http)
        result = finish_request(&wire, &query, why);
    else if (result == 0 && *out_taker == TAKER_NOBODY)
        result = fault_set(why, "nobody accepts the connection");
    wire_close(&wire);
    return result;
}

/* `ready`, or the first address of `listen`: the one that the server must answer at. */
static int choose_url(const struct plan *plan, struct url *out, struct fault *why)
{
    char text[128];

    if (plan->server.ready)
        return url_parse(plan->server.ready, out, why);
    const char *listen = plan->server.listen.items[0];
    if (strncmp(listen, "unix:", 5) == 0)
        return url_parse(listen, out, why);
    bool is_any = strncmp(listen, "0.0.0.0:", 8) == 0 || listen[0] == ':' || listen[0] == '*';
    snprintf(text, sizeof text, "tcp://%s%s",
             is_any                             ? "127.0.0.1"
             : strncmp(listen, "[::]:", 5) == 0 ? "[::1]"
                                                : "",
             is_any || strncmp(listen, "[::]:", 5) == 0 ? strrchr(listen, ':') : listen);
    return url_parse(text, out, why);
}

static bool is_time(const char *text, int64_t *out_ms)
{
    struct fault unused;

    fault_clear(&unused);
    return text_duration(text, out_ms, &unused) == 0;
}

/* For people: without the password that it may hold. */
static const char *show_target(const struct plan *plan, char out[TARGET_SIZE])
{
    const struct server_plan *server = &plan->server;

    return print_masked(server->ready ? server->ready : server->listen.items[0], out, TARGET_SIZE);
}

/* Nobody can tell who answers: it must answer, and must stay alive for a while. */
static int ask_blindly(const struct plan *plan, const struct probe *probe, struct fault *why)
{
    struct ready_query query = { .url = probe->url };
    char target[TARGET_SIZE];
    struct fault last;

    log_event(LOG_INFO, "probe.blind", LOG_NONE,
              "who answers at %s can't be told: the server must stay alive for %d s",
              show_target(plan, target), STAY_ALIVE_MS / 1000);
    clock_rest(STAY_ALIVE_MS);
    do {
        fault_clear(&last);
        /* The rest may have taken all its time. */
        if (ready_ask(&query, clock_ms() + BLIND_TRY_MS, &last) == 0)
            return 0;
        pause_before_next(probe);
    } while (clock_left(probe->deadline_ms) > 0);
    return fault_set(why, "%s", fault_line(&last, 0));
}

static int ask(const struct plan *plan, pid_t group, const struct listeners *listeners,
               struct fault *why)
{
    struct probe probe = { .group = group, .listeners = listeners, .began_ms = clock_ms() };
    enum taker taker;
    struct fault last;
    struct url url;

    if (choose_url(plan, &url, why) < 0)
        return -1;
    probe.url = &url;
    probe.deadline_ms = probe.began_ms + plan->server.ready_timeout_ms;
    /* Only where we hold the socket can there be two servers on it. */
    bool is_alone = plan->server.listen.count == 0;
    do {
        fault_clear(&last);
        if (is_alone &&
            ready_ask(&(struct ready_query){ .url = &url }, try_until(&probe), &last) == 0)
            return 0;
        if (is_alone) {
            pause_before_next(&probe);
            continue;
        }
        int result = ask_once(&probe, &taker, &last);
        if (taker == TAKER_HIDDEN)
            return ask_blindly(plan, &probe, why);
        if (result == 0 && taker == TAKER_SERVER)
            return 0;
        if (taker == TAKER_OTHER)
            fault_set(&last, "another process answers, not the new server");
        else
            pause_before_next(&probe);
    } while (clock_left(probe.deadline_ms) > LEAST_TRY_MS);
    return fault_set(why, "%s", last.count > 0 ? fault_line(&last, 0) : "no answer");
}

bool probe_is_notified(const struct plan *plan)
{
    return plan->server.ready && strcmp(plan->server.ready, "notify") == 0;
}

bool probe_asks(const struct plan *plan)
{
    int64_t ms;

    return plan->server.ready && !probe_is_notified(plan) && !is_time(plan->server.ready, &ms);
}

static int await_ready(const struct plan *plan, pid_t group, const struct listeners *listeners,
                       const struct notify *notify, struct fault *why)
{
    if (probe_is_notified(plan))
        return notify_await(notify, group, clock_ms() + plan->server.ready_timeout_ms, why);
    return ask(plan, group, listeners, why);
}

int probe_server(const struct plan *plan, pid_t group, const struct listeners *listeners,
                 const struct notify *notify)
{
    const char *ready = plan->server.ready;
    char target[TARGET_SIZE];
    char limit[32];
    struct fault why;
    int64_t ms;

    if (ready && is_time(ready, &ms)) {
        /* When the server ends first, PID 1 ends us. */
        clock_rest(ms);
        return 0;
    }
    fault_clear(&why);
    if (await_ready(plan, group, listeners, notify, &why) == 0)
        return 0;
    log_event(LOG_WARN, "server.not_ready", LOG_FIELDS(LOG_NUMBER("pid", group)),
              "not ready after %s (ready_timeout): %s: %s",
              text_show_ms(plan->server.ready_timeout_ms, limit, sizeof limit),
              show_target(plan, target), fault_line(&why, 0));
    return 1;
}

int probe_check(const struct plan *plan, struct fault *why)
{
    const char *text = plan->server.ready;
    char place[DRAFT_PLACE_SIZE];
    char target[TARGET_SIZE];
    struct fault inner;
    struct url url;
    int64_t ms;

    if (!text || is_time(text, &ms))
        return 0;
    if (probe_is_notified(plan)) {
        if (profiles_find(plan->server.kind, &plan->server.command)->kind != SERVER_GUNICORN)
            return 0;
        return draft_fault(plan, KEY_SERVER, "ready", why,
                           "gunicorn notifies before its workers run: ask it, like "
                           "http://127.0.0.1:8000/");
    }
    fault_clear(&inner);
    bool is_url = url_parse(text, &url, &inner) == 0;
    if (is_url && (strcmp(url.scheme, "http") == 0 || strcmp(url.scheme, "tcp") == 0 ||
                   strcmp(url.scheme, "unix") == 0))
        return 0;
    draft_place(plan, draft_source(plan, NULL, keys_find(KEY_SERVER, "ready")), place,
                sizeof place);
    return fault_set(why,
                     "%s: ready \"%s\" is neither http://, tcp://, unix:, notify nor a time like "
                     "2s%s%s",
                     place, show_target(plan, target), is_url ? "" : ": ",
                     is_url ? "" : fault_line(&inner, 0));
}
