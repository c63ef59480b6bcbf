/*
 * What `status`, `health` and `verify` read: one record of fixed size in a file, kept by PID 1,
 * which never waits for a reader and never reads it back. Times are clock_ms's unless named
 * otherwise; ticks are those of /proc.
 */
#ifndef INIT_STATE_H
#define INIT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/job.h"
#include "plan/plan.h"

enum { STATE_MAGIC = 0x74535246, STATE_VERSION = 1, STATE_NAME_SIZE = 40, STATE_PATH_SIZE = 256 };

/* The name of the file, and of its directory where state_dir can't have it. */
#define STATE_FILE "state"
#define STATE_FALLBACK "/dev/shm/freshinit-%llu"

enum state_phase {
    STATE_STAGES, /* the first stages run */
    STATE_SERVING,
    STATE_STOPPING,
    STATE_ENDED
};

enum state_outcome { OUTCOME_NEVER, OUTCOME_RUNNING, OUTCOME_DONE, OUTCOME_FAILED, OUTCOME_KILLED };

enum state_counter {
    COUNT_FORWARDED, /* signals */
    COUNT_REAPED,    /* orphans */
    COUNT_KILLED,    /* processes that did not end when told */
    COUNTERS
};

/* The last run of a stage. */
struct state_stage {
    char name[STATE_NAME_SIZE];
    uint32_t outcome; /* enum state_outcome */
    uint32_t when;    /* enum when */
    int64_t began_ms;
    int64_t took_ms;
    struct stage_result result; /* as the stage's child wrote it */
};

struct state_record {
    uint32_t magic;
    uint32_t version;
    uint32_t size;
    uint32_t sequence; /* odd while the rest is being written */
    uint64_t space;    /* inode of the PID namespace */
    uint64_t start;    /* of freshinit, in ticks */
    int32_t pid;
    uint32_t phase; /* enum state_phase */
    int64_t began_ms;
    int64_t began_wall_ms;
    int32_t server; /* 0: does not run */
    uint32_t generation;
    int32_t other; /* in a hand-over: the server to come, or the one of before; 0: none */
    uint32_t other_generation;
    int64_t server_began_ms;
    int64_t ready_ms;      /* 0: not ready yet, or nothing tells */
    uint64_t reload_ticks; /* what began until then is of before the last reload; 0: none */
    int64_t reload_ms;
    uint32_t reloads_done;
    uint32_t reloads_failed;
    uint32_t is_reloading;
    uint32_t reload; /* enum reload, as chosen */
    uint32_t stage_count;
    uint64_t counts[COUNTERS];
    char freshinit[16]; /* its version */
    char release[132];
    char config[STATE_PATH_SIZE];          /* "" for none */
    char folder[STATE_PATH_SIZE];          /* the working directory */
    struct state_stage stages[STAGES_MAX]; /* in the order of the plan */
};

/* Made without being touched: its pages cost nothing until the first child runs. */
struct state {
    const struct plan *plan;
    bool is_kept; /* false: no one asked for it, or there is no place */
    bool is_made; /* what is below the next line holds something */
    bool is_changed;
    bool is_counted;  /* a counter alone has changed: written at leisure */
    bool is_fallback; /* the file lies in /dev/shm */
    int fd;
    int64_t written_ms;
    uint64_t ticks_before; /* reload_ticks, should the reload fail */
    char folder[STATE_PATH_SIZE];
    struct state_record record;
};

/* Opens nothing yet: nothing may come before the first child. */
void state_begin(struct state *state, const struct plan *plan, bool is_wanted);

/* To be called before each wait: writes what has changed. The first call makes the file. */
void state_flush(struct state *state);

/* The last write, where somebody can read it; a directory in /dev/shm is taken away. */
void state_end(struct state *state, bool is_pid1);

/* What is told. Never before the first child was made. */
void state_phase(struct state *state, enum state_phase phase);
void state_server(struct state *state, pid_t server, unsigned generation);
void state_other(struct state *state, pid_t other, unsigned generation);
void state_ready(struct state *state);
/* `ticks`: what began until then is of before the reload, unless that fails. */
void state_reload_began(struct state *state, uint64_t ticks);
void state_reload_ended(struct state *state, bool is_done);
/* The stages of one job are told together. */
void state_stages_began(struct state *state, const struct job *job, enum when when);
void state_stages_ended(struct state *state, const struct job *job, enum state_outcome outcome);
void state_count(struct state *state, enum state_counter counter, size_t more);

#endif
