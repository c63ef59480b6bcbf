/* What a file stage does with each entry of a walk, and what it counts. */
#ifndef STAGE_SWEEP_H
#define STAGE_SWEEP_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"
#include "stage/birth.h"
#include "stage/choice.h"
#include "stage/walk.h"

/* What is worth a line of its own. */
enum sweep_note {
    SWEEP_PROBLEM,    /* could not be read, removed or touched */
    SWEEP_SOURCELESS, /* a .pyc that may be the application */
    SWEEP_FOREIGN,    /* bytecode of another Python */
    SWEEP_GHOST,      /* a folder that held nothing but bytecode */
    SWEEP_MOUNT,      /* another file system, not entered */
    SWEEP_NOTES
};

enum { SWEEP_KEPT_MAX = 48, SWEEP_PATH_SIZE = 512 };

/* Written by one thread, and read by the one that shows progress. */
struct sweep_counts {
    _Atomic int64_t seen;
    _Atomic int64_t done;
    _Atomic int64_t bytes;
    _Atomic int64_t notes[SWEEP_NOTES];
};

/* The first few of each kind, with their paths. */
struct sweep_kept {
    enum sweep_note note;
    size_t stage;
    int error;
    char path[SWEEP_PATH_SIZE];
};

struct sweep {
    struct choice choices[STAGES_MAX];
    size_t count;
    uint64_t removers;  /* the stages that remove, not touch */
    const char *prefix; /* PYTHONPYCACHEPREFIX as a root of its own, or NULL */
    struct birth birth;
    bool is_dry;
    bool shows_progress;
    int64_t deadline_ms;
    int64_t started_ms;
    int64_t shown_ms;  /* when progress was last shown; 0: not yet */
    const char *title; /* of the progress line */
    struct sweep_counts counts[WALK_CREW_MAX][STAGES_MAX];
    pthread_mutex_t lock; /* of what is below */
    size_t kept_count;
    struct sweep_kept kept[SWEEP_KEPT_MAX];
    size_t listed;        /* bytes of `list` in use */
    char list[16 * 1024]; /* dry run: paths on their way to stdout */
};

/* For walk_run; the context is the sweep. */
extern const struct walk_calls sweep_calls;

/* The sum over all threads. */
int64_t sweep_total(const _Atomic int64_t *first);
struct sweep_counts *sweep_of(struct sweep *sweep, int crew, size_t stage);

/* The last of a dry run's list, and the end of the progress line. */
void sweep_finish(struct sweep *sweep);

#endif
