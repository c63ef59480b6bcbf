/*
 * The table of every key of the configuration: where it may stand, what it holds, what it means.
 * A new key is a new row here and nothing else in plan/.
 */
#include "plan/keys.h"

#include <string.h>

#include "plan/plan.h"

/* What a key means is for the man page, which is made from it: the smallest binary goes without. */
#ifdef FRESHINIT_SMALL
#define HELP(...) .help = NULL
#else
#define HELP(...) .help = __VA_ARGS__
#endif
#define BIT(action) (1U << (action))
#define ALL_ACTIONS                                                                                \
    (BIT(ACTION_CLEAR) | BIT(ACTION_EMPTY) | BIT(ACTION_TOUCH) | BIT(ACTION_FLUSH) |               \
     BIT(ACTION_WAIT) | BIT(ACTION_FREE) | BIT(ACTION_RUN))
#define PLAN(member) .offset = offsetof(struct plan, member)
#define STAGE(member) .offset = offsetof(struct stage_plan, member)
#define HAS_PLAN(member) .has_offset = offsetof(struct plan, member)
#define HAS_STAGE(member) .has_offset = offsetof(struct stage_plan, member)
#define ACTION_ROW(word, number, sentence)                                                         \
    {                                                                                              \
        .section = KEY_STAGE, .type = KEY_ACTION, .name = word, STAGE(subject),                    \
        .actions = BIT(number), HELP(sentence)                                                     \
    }

/* clang-format off: one row, one key */
static const struct key freshinit_keys[] = {
    { KEY_FRESHINIT, KEY_TEXT, "release", PLAN(release),
      HELP("The release that runs; without it release_file, GIT_COMMIT_HASH and its like in the "
           "environment, the seal, then .git/HEAD of the working directory tell") },
    { KEY_FRESHINIT, KEY_TEXT, "release_file", PLAN(release_file),
      HELP("A file whose first line is the release") },
    { KEY_FRESHINIT, KEY_TEXT, "expect", PLAN(expect),
      HELP("The release that was meant to run; another one is a stale image") },
    { KEY_FRESHINIT, KEY_CHOICE, "on_stale_image", PLAN(on_stale_image), .fallback = "warn",
      .choices = "warn fail", HELP("fail: a stale image ends with 75 before anything is run") },
    { KEY_FRESHINIT, KEY_TEXT, "seal", PLAN(seal), .fallback = "/etc/freshinit.seal",
      HELP("The file that freshinit seal writes, and start and verify hold the disk against") },
    { KEY_FRESHINIT, KEY_CHOICE, "log", PLAN(log), .fallback = "human", .choices = "human json",
      HELP("The form of the log") },
    { KEY_FRESHINIT, KEY_CHOICE, "log_level", PLAN(log_level), .fallback = "info",
      .choices = "error warn info debug trace", HELP("How much is logged; each -v adds one") },
    { KEY_FRESHINIT, KEY_BOOL, "advice", PLAN(advice), .fallback = "yes",
      HELP("One line each for what will hurt in production") },
    { KEY_FRESHINIT, KEY_TEXT, "state_dir", PLAN(state_dir), .fallback = "/run/freshinit",
      HELP("The directory of status and once-markers; it may be read-only or absent") },
    { KEY_FRESHINIT, KEY_BOOL, "secrets", PLAN(secrets), .fallback = "no",
      HELP("X_FILE=/path becomes X, with the content of that file, for the server and run "
           "stages; SSL_CERT_FILE is left alone") },
};

static const struct key server_keys[] = {
    { KEY_SERVER, KEY_WORDS, "command", PLAN(server.command),
      HELP("The server and its arguments, where the command line has none") },
    { KEY_SERVER, KEY_CHOICE, "kind", PLAN(server.kind), .fallback = "auto",
      .choices = "auto gunicorn uvicorn hypercorn granian generic",
      HELP("Which server it is; auto looks at the command") },
    { KEY_SERVER, KEY_USER, "user", PLAN(server.user),
      HELP("The user that the server runs as: user[:group], names or numbers") },
    { KEY_SERVER, KEY_WORDS, "capabilities", PLAN(server.capabilities),
      HAS_PLAN(server.has_capabilities),
      HELP("The capabilities that the server keeps, like net_bind_service; needs user") },
    { KEY_SERVER, KEY_BOOL, "no_new_privs", PLAN(server.no_new_privs),
      HAS_PLAN(server.has_no_new_privs),
      HELP("Nothing that the server starts gains rights; yes where there is a user") },
    { KEY_SERVER, KEY_MODE, "umask", PLAN(server.umask), HAS_PLAN(server.has_umask),
      HELP("The server's umask, in octal") },
    { KEY_SERVER, KEY_TEXT, "workdir", PLAN(server.workdir),
      HELP("The server's working directory") },
    { KEY_SERVER, KEY_DURATION, "drain", PLAN(server.drain_ms), .fallback = "0s",
      HELP("Go on serving that long after TERM before the server is told") },
    { KEY_SERVER, KEY_SIGNAL, "stop_signal", PLAN(server.stop_signal), .fallback = "auto",
      HELP("The signal that stops the server; auto is the server's own") },
    { KEY_SERVER, KEY_AUTO, "stop_timeout", PLAN(server.stop_timeout_ms), .fallback = "auto",
      HELP("The time of the whole stop, then KILL; auto is 8s, and 25s under Kubernetes") },
    { KEY_SERVER, KEY_STATUSES, "success", PLAN(server.success_codes), .fallback = "0",
      HELP("The exit statuses that count as 0, like 0 143") },
    { KEY_SERVER, KEY_WORDS, "listen", PLAN(server.listen),
      HELP("The addresses that freshinit listens on for the server, like 0.0.0.0:8000 or "
           "unix:/run/app.sock, so that a reload refuses no one") },
    { KEY_SERVER, KEY_TEXT, "ready", PLAN(server.ready),
      HELP("What tells that the server is ready: http://, tcp:// or unix: to ask, a time that "
           "it must stay alive, or notify where it sends READY=1 to NOTIFY_SOCKET (not gunicorn, "
           "which does so before its workers run)") },
    { KEY_SERVER, KEY_DURATION, "ready_timeout", PLAN(server.ready_timeout_ms), .fallback = "30s",
      HELP("The time that the server has to become ready") },
    { KEY_SERVER, KEY_CHOICE, "reload", PLAN(server.reload), .fallback = "auto",
      .choices = "auto handover signal restart none",
      HELP("How HUP replaces the server; auto is the way that keeps no old code") },
    { KEY_SERVER, KEY_DURATION, "stale_worker_timeout", PLAN(server.stale_worker_timeout_ms),
      .fallback = "30s", HELP("The time that workers from before a reload have to end") },
    { KEY_SERVER, KEY_NUMBER, "max_requests", PLAN(server.max_requests), .least = 0,
      .most = 1000000000,
      HELP("How many requests a worker answers before it is replaced; 0 is no limit") },
    { KEY_SERVER, KEY_NUMBER, "max_requests_jitter", PLAN(server.max_requests_jitter), .least = 0,
      .most = 1000000000, HELP("Up to so many more, by chance, so that not all end at once") },
};

static const struct key stage_keys[] = {
    ACTION_ROW("clear", ACTION_CLEAR,
               "Remove caches: named sets (bytecode, jinja, next), "
               "*.EXT for files, NAME/ for folders"),
    ACTION_ROW("empty", ACTION_EMPTY, "Remove everything in these folders, not the folders"),
    ACTION_ROW("touch", ACTION_TOUCH, "Give the files of these patterns the time of now"),
    ACTION_ROW("flush", ACTION_FLUSH, "Forget what these memcached:// and redis:// servers hold"),
    ACTION_ROW("wait", ACTION_WAIT,
               "Wait until all of these URLs are ready: tcp:// unix:// http:// "
               "file: postgres:// redis:// memcached://"),
    ACTION_ROW("free", ACTION_FREE,
               "See that no one holds these addresses, like "
               "tcp://0.0.0.0:8000"),
    ACTION_ROW("run", ACTION_RUN, "Run this command"),
    { KEY_STAGE, KEY_WORDS, "in", STAGE(in),
      .actions = BIT(ACTION_CLEAR) | BIT(ACTION_TOUCH) | BIT(ACTION_RUN),
      HELP("The folders, with globs; the working directory where it is not given. For run: the "
           "files that once = change looks at") },
    { KEY_STAGE, KEY_WORDS, "exclude", STAGE(exclude), HAS_STAGE(has_exclude),
      .actions = BIT(ACTION_CLEAR) | BIT(ACTION_EMPTY) | BIT(ACTION_TOUCH) | BIT(ACTION_RUN),
      HELP("Names of folders that are passed over; an empty value passes over none. Default: "
           ".git node_modules site-packages dist-packages for bytecode and touch, else .git") },
    { KEY_STAGE, KEY_SET, "when", STAGE(when), .fallback = "start reload",
      .choices = "build start ready reload stop", .actions = ALL_ACTIONS,
      HELP("Any of build start ready reload stop; empty has no default") },
    { KEY_STAGE, KEY_WORDS, "targets", STAGE(targets), .actions = ALL_ACTIONS,
      HELP("The words after clean that choose this stage; needs when = build") },
    { KEY_STAGE, KEY_DURATION, "timeout", STAGE(timeout_ms), .fallback = "30s",
      .actions = ALL_ACTIONS, HELP("The time that the stage has") },
    { KEY_STAGE, KEY_CHOICE, "on_error", STAGE(on_error), .fallback = "warn",
      .choices = "warn fail", .actions = ALL_ACTIONS,
      HELP("fail: the server is not started when the stage fails") },
    { KEY_STAGE, KEY_CHOICE, "once", STAGE(once), .fallback = "always",
      .choices = "always release change",
      .actions = ALL_ACTIONS & ~(BIT(ACTION_WAIT) | BIT(ACTION_FREE)),
      HELP("release: one replica does it, for each release; change: only when the files of in "
           "changed") },
    { KEY_STAGE, KEY_TEXT, "once_id", STAGE(once_id),
      .actions = ALL_ACTIONS & ~(BIT(ACTION_WAIT) | BIT(ACTION_FREE)),
      HELP("What once = release holds as done; the release where it is not given") },
    { KEY_STAGE, KEY_TEXT, "once_at", STAGE(once_at),
      .actions = ALL_ACTIONS & ~(BIT(ACTION_WAIT) | BIT(ACTION_FREE)),
      HELP("The redis:// URL that keeps the marker of once = release") },
    { KEY_STAGE, KEY_USER, "user", STAGE(user), .actions = ALL_ACTIONS,
      HELP("The user that the stage runs as: user[:group]") },
    { KEY_STAGE, KEY_CHOICE, "mode", STAGE(mode), .fallback = "stale", .choices = "stale all",
      .actions = BIT(ACTION_CLEAR),
      HELP("Which bytecode goes: what is not made from today's source, or all") },
    { KEY_STAGE, KEY_CHOICE, "sourceless", STAGE(sourceless), .fallback = "keep",
      .choices = "keep remove", .actions = BIT(ACTION_CLEAR),
      HELP("What happens to a .pyc without source, which may be the application") },
    { KEY_STAGE, KEY_WORDS, "keys", STAGE(keys), .actions = BIT(ACTION_FLUSH),
      HELP("redis: only keys of these patterns") },
    { KEY_STAGE, KEY_BOOL, "all", STAGE(all), .fallback = "no", .actions = BIT(ACTION_FLUSH),
      HELP("yes: the whole cache is meant") },
    { KEY_STAGE, KEY_TEXT, "password_file", STAGE(password_file),
      .actions = BIT(ACTION_FLUSH) | BIT(ACTION_WAIT),
      HELP("A file whose first line is the password of the server") },
    { KEY_STAGE, KEY_TEXT, "body", STAGE(body), .actions = BIT(ACTION_WAIT),
      HELP("http: a text that the answer must contain") },
    { KEY_STAGE, KEY_NUMBER, "status", STAGE(status), .least = 100, .most = 599,
      .actions = BIT(ACTION_WAIT),
      HELP("http: the status that the answer must have; any of 200 to 399 where it is not "
           "given") },
    { KEY_STAGE, KEY_BOOL, "kill", STAGE(kill), .fallback = "no", .actions = BIT(ACTION_FREE),
      HELP("yes: a stale holder that is ours to end is ended") },
    { KEY_STAGE, KEY_BOOL, "shell", STAGE(shell), .fallback = "no", .actions = BIT(ACTION_RUN),
      HELP("yes: by sh -c") },
};

static const struct key health_keys[] = {
    { KEY_HEALTH, KEY_TEXT, "url", PLAN(health.url),
      HELP("What health asks, like http://127.0.0.1:8000/healthz") },
    { KEY_HEALTH, KEY_DURATION, "timeout", PLAN(health.timeout_ms), .fallback = "3s",
      HELP("The time that the answer has") },
    { KEY_HEALTH, KEY_NUMBER, "status", PLAN(health.status), .least = 100, .most = 599,
      HELP("The status that the answer must have; any of 200 to 399 where it is not given") },
    { KEY_HEALTH, KEY_TEXT, "body", PLAN(health.body),
      HELP("A text that the answer must contain") },
    { KEY_HEALTH, KEY_TEXT, "release_header", PLAN(health.release_header),
      HELP("The header of the answer that must equal the release, like X-Release") },
    { KEY_HEALTH, KEY_TEXT, "release_json", PLAN(health.release_json),
      HELP("The name in the answer's JSON whose value must equal the release") },
    { KEY_HEALTH, KEY_TEXT, "expect_header", PLAN(health.expect_header),
      HELP("A header that the answer must have, like Cache-Control: no-store") },
};
/* clang-format on */

static const struct {
    const char *name;
    const struct key *keys;
    size_t count;
    size_t place; /* of the first one's source */
} sections[] = {
    { "freshinit", freshinit_keys, COUNT(freshinit_keys), 0 },
    { "server", server_keys, COUNT(server_keys), COUNT(freshinit_keys) },
    { "health", health_keys, COUNT(health_keys), COUNT(freshinit_keys) + COUNT(server_keys) },
    { "stage", stage_keys, COUNT(stage_keys), 0 },
};

static const char *const action_names[] = { "",      "clear", "empty", "touch",
                                            "flush", "wait",  "free",  "run" };

const struct key *keys_first(enum key_section section, size_t *out_count)
{
    *out_count = sections[section].count;
    return sections[section].keys;
}

const struct key *keys_find(enum key_section section, const char *name)
{
    const struct key *key = sections[section].keys;
    const struct key *end = key + sections[section].count;

    for (; key < end; key++)
        if (key->name[0] == name[0] && strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

size_t keys_place(const struct key *key)
{
    return (size_t)(key - sections[key->section].keys) + sections[key->section].place;
}

size_t keys_sources(enum key_section section)
{
    const size_t before_stages = COUNT(freshinit_keys) + COUNT(server_keys) + COUNT(health_keys);

    return section == KEY_STAGE ? COUNT(stage_keys) : before_stages;
}

const char *keys_section_name(enum key_section section)
{
    return sections[section].name;
}

const char *keys_action_name(unsigned action)
{
    return action < COUNT(action_names) ? action_names[action] : "";
}
