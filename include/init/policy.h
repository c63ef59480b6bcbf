/*
 * What happens next: (state, event) -> (state, step). Pure: no system call, no log, no memory but
 * the state, so that every sequence of events can be tested.
 */
#ifndef INIT_POLICY_H
#define INIT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

/* Fixed when the plan is made. */
struct policy_rules {
    bool has_server;
    bool is_pid1;
    bool ends_at_once; /* tini: the rest is left to the kernel */
    int64_t drain_ms;
    int64_t stop_timeout_ms;
    const bool *success_codes;  /* [256]: count as 0 after a stop that was asked for */
    const bool *always_success; /* [256]: -e, count as 0 always */
};

enum policy_phase {
    PHASE_STAGES, /* the first stages run */
    PHASE_SERVING,
    PHASE_DRAINING,    /* a stop was asked for, the server does not know yet */
    PHASE_STOPPING,    /* the server was told */
    PHASE_STOP_STAGES, /* the server has ended */
    PHASE_LEAVING,     /* what is left was told */
    PHASE_KILLING,
    PHASE_ENDED
};

struct policy {
    enum policy_phase phase;
    int exit_code;
    bool is_stop_asked;
    int64_t stop_by_ms;  /* when the whole stop should be over */
    int64_t deadline_ms; /* of this phase: EVENT_DEADLINE comes then; CLOCK_NEVER for none */
    int kills;           /* rounds of KILL so far */
};

enum event_kind {
    EVENT_START,
    EVENT_STAGE_ENDED, /* the next one may run */
    EVENT_STAGE_FATAL, /* failed, and on_error = fail */
    EVENT_STAGES_DONE,
    EVENT_SERVER_ENDED,     /* code */
    EVENT_SERVER_SUSPENDED, /* Ctrl-Z */
    EVENT_SPAWN_FAILED,     /* code */
    EVENT_STOP_SIGNAL,      /* signal: one that asks for a stop */
    EVENT_SIGNAL,           /* signal: any other */
    EVENT_STRANGERS_LEFT,   /* nothing that could be reaped is left, but `docker exec` has more */
    EVENT_ALONE,            /* nothing is left */
    EVENT_DEADLINE
};

struct event {
    enum event_kind kind;
    int64_t now_ms;
    int code;
    int signal;
};

enum step_kind {
    DO_NOTHING,
    DO_NEXT_STAGE,
    DO_START_SERVER,
    DO_FORWARD, /* signal */
    DO_DRAIN,
    DO_STOP_SERVER, /* signal: the one that asked; the profile knows which to send */
    DO_KILL_SERVER,
    DO_TELL_REST,
    DO_KILL_REST,
    DO_SUSPEND,
    DO_END /* the exit code is final */
};

struct step {
    enum step_kind kind;
    int signal;
};

struct policy policy_start(void);
struct step policy_next(const struct policy_rules *rules, struct policy *state,
                        const struct event *event);

#endif
