/*
 * What was asked for, in one plain struct. Made once by build_plan, checked whole, then sealed:
 * from there on it is const for everyone. No functions but those that make it.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/words.h"

enum {
    STAGES_MAX = 64, /* More than anyone has written by hand. */
    ENV_MAX = 128,
    GROUPS_MAX = 32,
    ADDED_MAX = 6,
    REWRITES_MAX = 32,
    SIGNALS_MAX = 65
};

/* Where a value came from; the last one wins. */
enum source_kind { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENV, SOURCE_ARGV };

struct source {
    enum source_kind kind;
    int line;         /* of the file */
    const char *name; /* the variable or the option */
    const char *raw;  /* the text as written, before ${NAME} was put in; NULL: no value */
    const char *text; /* with ${NAME} put in; NULL: no value, or one that is a fault */
};

enum action {
    ACTION_NONE,
    ACTION_CLEAR,
    ACTION_EMPTY,
    ACTION_TOUCH,
    ACTION_FLUSH,
    ACTION_WAIT,
    ACTION_FREE,
    ACTION_RUN
};

/* When a stage runs: a set. */
enum when { WHEN_BUILD = 1, WHEN_START = 2, WHEN_READY = 4, WHEN_RELOAD = 8, WHEN_STOP = 16 };

enum on_error { ON_ERROR_WARN, ON_ERROR_FAIL };
enum once { ONCE_ALWAYS, ONCE_RELEASE, ONCE_CHANGE };
enum bytecode_mode { BYTECODE_STALE, BYTECODE_ALL };
enum sourceless { SOURCELESS_KEEP, SOURCELESS_REMOVE };

/* A user as the kernel wants it: looked up once, when the plan is made. */
struct identity {
    const char *text; /* as written; NULL: nothing about identity is changed */
    const char *name; /* from /etc/passwd, or NULL */
    const char *home; /* from /etc/passwd, or "/" */
    uid_t uid;
    gid_t gid;
    gid_t groups[GROUPS_MAX];
    size_t group_count;
};

struct stage_plan {
    const char *name;
    int line; /* of its section; 0 for a built-in one */
    enum action action;
    const char *subject;   /* the action's own value: patterns, URLs or the command, as text */
    struct words subjects; /* the same in words */
    struct words in;       /* roots, as written (globs are resolved by the stage) */
    struct words exclude;
    bool has_exclude; /* written, though it may be empty */
    unsigned when;    /* of enum when */
    struct words targets;
    int64_t timeout_ms;
    enum on_error on_error;
    enum once once;
    const char *once_id;  /* NULL: the release */
    const char *once_at;  /* URL, or NULL */
    struct identity user; /* text NULL: as freshinit itself */
    enum bytecode_mode mode;
    enum sourceless sourceless;
    struct words keys; /* flush redis */
    bool all;
    const char *password_file;
    const char *body; /* wait http: text that the answer must contain, or NULL */
    int64_t status;   /* wait http: the status that it must have; 0: any of 200 to 399 */
    bool kill;
    bool shell;             /* run: by sh -c */
    struct source *sources; /* one for each key of [stage], in the order of keys.c */
};

/* What a stage did, in memory shared with PID 1: numbers only, and never trusted there. */
struct stage_result {
    int64_t seen;     /* files, keys or services looked at */
    int64_t done;     /* removed, touched, flushed, ready */
    int64_t bytes;    /* that were freed */
    int64_t problems; /* named in the log */
    int64_t skipped;  /* 1: nothing was to be done (once, missing root) */
};

enum server_kind {
    SERVER_AUTO,
    SERVER_GUNICORN,
    SERVER_UVICORN,
    SERVER_HYPERCORN,
    SERVER_GRANIAN,
    SERVER_GENERIC
};

/* What was asked for; AUTO: the way that leaves no old code. */
enum reload { RELOAD_AUTO, RELOAD_HANDOVER, RELOAD_SIGNAL, RELOAD_RESTART, RELOAD_NONE };

struct server_plan {
    struct words command; /* what is exec'ed: argv, else the configuration's */
    enum server_kind kind;
    struct identity user;
    struct words capabilities; /* names that stay, in the words of capabilities(7) without "cap_" */
    bool has_capabilities;     /* written, though it may be empty */
    bool no_new_privs;
    bool has_no_new_privs; /* written; else it is yes with `user` and no without */
    unsigned umask;
    bool has_umask;
    const char *workdir;
    int64_t drain_ms;
    struct words listen; /* addresses of the sockets that freshinit holds */
    const char *ready;   /* a URL or a time, as text; NULL: nothing tells */
    enum reload reload;
    int64_t max_requests; /* 0: no limit */
    int64_t max_requests_jitter;
    int64_t ready_timeout_ms;
    int64_t stale_worker_timeout_ms;
    int stop_signal;         /* 0: auto, the profile's */
    int64_t stop_timeout_ms; /* the whole stop, auto resolved */
    bool success_codes[256];
};

/* How the server is asked whether it is well, by `health` and `verify`. */
struct health_plan {
    const char *url; /* NULL: what [server] says */
    int64_t timeout_ms;
    int64_t status;             /* 0: any of 200 to 399 */
    const char *body;           /* text that the answer must contain, or NULL */
    const char *release_header; /* must equal the release; NULL: not asked for */
    const char *release_json;   /* the same, a name in the answer's JSON */
    const char *expect_header;  /* "Name: value"; NULL: not asked for */
};

struct env_entry {
    const char *name;
    const char *value; /* NULL: removed from the environment */
    struct source source;
};

/* What is said on the command line only. */
struct init_plan {
    bool is_tini;                       /* called as tini or docker-init */
    bool subreaper;                     /* -s; on by itself when not PID 1 */
    bool group;                         /* -g */
    bool warn_zombies;                  /* -w */
    bool single_child;                  /* --single-child */
    int parent_signal;                  /* -p; 0: none */
    unsigned char rewrite[SIGNALS_MAX]; /* signal -> signal; 0: dropped */
    bool is_rewritten[SIGNALS_MAX];
    bool success_codes[256]; /* -e: count as 0 always */
};

struct plan {
    const char *version;
    const char *config;    /* the file in use, or NULL */
    uint64_t config_inode; /* what it was when it was read */
    struct timespec config_changed;
    bool has_stages;          /* false: --no-stages, tini */
    const char *release;      /* "" when unknown */
    const char *release_file; /* NULL: none */
    const char *release_from; /* in words: "GIT_COMMIT_HASH", ".git/HEAD"; NULL when unknown */
    const char *expect;       /* the release that was meant; NULL: not said */
    enum on_error on_stale_image;
    const char *seal; /* the file that `freshinit seal` writes */
    enum log_format log;
    enum log_level log_level;
    const char *state_dir;
    bool advice;
    bool secrets;
    struct server_plan server;
    struct health_plan health;
    struct init_plan init;
    const char *added[ADDED_MAX]; /* in words: what the server is told besides, and why */
    size_t added_count;
    char *const *given; /* the environment that we were started with */
    char *
        *environment; /* what children get: ours, [env], secrets, less what must not be passed on */
    struct source *sources; /* one for each key outside [stage] and [env], in the order of keys.c */
    /* Last what is seldom full: pages that nobody writes cost nothing. */
    size_t stage_count;
    size_t env_count;
    struct stage_plan stages[STAGES_MAX];
    struct env_entry env[ENV_MAX];
};

#endif
