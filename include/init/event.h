/* What the policy works on: rules, state, events, and the steps that answer them. No functions. */
#ifndef INIT_EVENT_H
#define INIT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

/* How a reload replaces the server without keeping old code. */
enum policy_way {
    WAY_NONE,    /* HUP is a signal like any other */
    WAY_SIGNAL,  /* the server's own reload; old workers are watched */
    WAY_RESTART, /* stop, then start */
    WAY_HANDOVER /* a new server on the same addresses, and then the old one is stopped */
};

/* Fixed when the plan is made. */
struct policy_rules {
    bool has_server;
    bool is_pid1;
    bool ends_at_once; /* tini: the rest is left to the kernel */
    bool tells_ready;  /* a probe does: EVENT_READY is more than that it was started */
    bool asks_workers; /* also of those that the server's own reload has made */
    bool recycles;     /* a server that ends by itself with 0 is started again */
    enum policy_way way;
    int64_t drain_ms;
    int64_t stop_timeout_ms;
    int64_t ready_timeout_ms;
    int64_t stale_worker_timeout_ms;
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

/* What is being done while the server serves. One at a time. */
enum policy_task {
    TASK_NONE,
    TASK_AWAIT_READY, /* the server was started */
    TASK_READY_STAGES,
    TASK_RELOAD_STAGES,
    TASK_START_NEW,  /* handover: the new server was started, the old one serves */
    TASK_CALM_OLD,   /* handover: the new one serves, the old one does what it has in hand */
    TASK_RETIRE_OLD, /* handover: the old one was told to stop */
    TASK_OUTLIVE,    /* the server reloads itself, its old workers are to end */
    TASK_RESTART     /* the server was told to stop, and is to be started again */
};

struct policy {
    enum policy_phase phase;
    enum policy_task task;
    bool is_reloading; /* until it is done or has failed */
    bool is_reload_queued;
    bool is_recycled; /* the server that runs replaced one that had done its requests */
    int short_lives;  /* in a row, of servers that ended by themselves before they served */
    bool is_stop_asked;
    int exit_code;
    int64_t server_start_ms;
    int64_t stop_by_ms; /* when the whole stop should be over */
    int64_t
        deadline_ms; /* of this phase or task: EVENT_DEADLINE comes then; CLOCK_NEVER for none */
    int kills;       /* rounds of KILL so far */
    int stale_kills; /* the same of workers, or of a server, of before this reload */
};

enum event_kind {
    EVENT_START,
    EVENT_STAGE_ENDED, /* the next one may run */
    EVENT_STAGE_FATAL, /* failed, and on_error = fail */
    EVENT_STAGES_DONE,
    EVENT_SERVER_ENDED,     /* code */
    EVENT_SERVER_SUSPENDED, /* Ctrl-Z */
    EVENT_NO_SERVER,        /* code: it could not be started, and there is no other */
    EVENT_SPAWN_FAILED,     /* code: a stage, or a handover's new server, could not be started */
    EVENT_RELOAD,           /* was asked for */
    EVENT_READY,            /* the server that was started last is ready */
    EVENT_NOT_READY,        /* it is not, and its time is over */
    EVENT_NEW_ENDED,        /* handover: the new server ended before it was ready */
    EVENT_OLD_ENDED,        /* handover: the old server has ended */
    EVENT_WORKERS_FRESH,    /* no worker of before the reload is left */
    EVENT_TASK_OVER,        /* its last step is done; a reload that was queued may begin */
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
    DO_START_SERVER, /* EVENT_READY follows at once where nothing tells when it is ready */
    DO_ASK_READY,    /* the same for one that runs */
    DO_FORWARD,      /* signal */
    DO_DRAIN,
    DO_STOP_SERVER, /* signal: the one that asked; the profile knows which to send */
    DO_KILL_SERVER,
    DO_TELL_REST,
    DO_KILL_REST,
    DO_SUSPEND,
    DO_START_NEW,
    DO_PROMOTE_NEW, /* the old server ended early: the new one is the server now */
    DO_ABANDON_NEW, /* it failed: ended, and the old one goes on; EVENT_TASK_OVER follows */
    DO_TAKE_OVER,   /* the new one is the server now, and gets every new connection */
    DO_RETIRE_OLD,  /* the old one is told to stop */
    DO_KILL_OLD,
    DO_SIGNAL_RELOAD,
    DO_KILL_STALE,    /* workers of before the reload */
    DO_TELL_READY,    /* say so, and run the ready stages */
    DO_RELOAD_DONE,   /* the same of a reload */
    DO_RELOAD_FAILED, /* say so; EVENT_TASK_OVER follows */
    DO_END            /* the exit code is final */
};

struct step {
    enum step_kind kind;
    int signal;
};

#endif
