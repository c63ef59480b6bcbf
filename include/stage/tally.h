/* What a walk of the file stages counts, and the paths worth telling. Shared by its threads. */
#ifndef STAGE_TALLY_H
#define STAGE_TALLY_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"
#include "stage/walk.h"

/* What is worth a line of its own. */
enum tally_note {
    TALLY_PROBLEM,    /* could not be read, removed or touched */
    TALLY_SOURCELESS, /* a .pyc that may be the application */
    TALLY_FOREIGN,    /* bytecode of another Python */
    TALLY_GHOST,      /* a folder that held nothing but bytecode */
    TALLY_MOUNT,      /* another file system, not entered */
    TALLY_NOTES
};

enum { TALLY_KEPT_MAX = 48, TALLY_PATH_SIZE = 512 };

/* Written by one thread, and read by the one that shows progress. */
struct tally_counts {
    _Atomic int64_t seen;
    _Atomic int64_t done;
    _Atomic int64_t bytes;
    _Atomic int64_t notes[TALLY_NOTES];
};

/* The first few of each kind, with their paths. */
struct tally_kept {
    enum tally_note note;
    size_t stage;
    int error;
    char path[TALLY_PATH_SIZE];
};

struct tally {
    struct tally_counts counts[WALK_CREW_MAX][STAGES_MAX];
    int64_t shown_ms;     /* when progress was last shown; 0: not yet */
    pthread_mutex_t lock; /* of what is below */
    size_t kept_count;
    struct tally_kept kept[TALLY_KEPT_MAX];
    size_t listed; /* bytes of `list` in use */
    char list[16 * 1024];
};

void tally_open(struct tally *tally);

/* Only the thread `dir->crew` adds to its counts. */
void tally_add(_Atomic int64_t *count, int64_t number);
struct tally_counts *tally_of(struct tally *tally, const struct walk_dir *dir, size_t stage);

/* What all threads together counted for one stage. */
struct tally_sums {
    int64_t seen;
    int64_t done;
    int64_t bytes;
    int64_t notes[TALLY_NOTES];
};
void tally_sum(const struct tally *tally, size_t stage, struct tally_sums *out);

/* Counts it, and keeps the path of `name` in `dir` (NULL: of `dir`) if it is one of the first
 * of its kind. Leaves errno alone. */
void tally_note(struct tally *tally, const struct walk_dir *dir, const struct tally_kept *what,
                const char *name);

/* One line on stdout for the path of `name` in `dir` (NULL: of `dir`), for a dry run. */
void tally_list(struct tally *tally, const struct walk_dir *dir, const char *name);

/* One line on stderr that the next one overwrites. */
void tally_show(struct tally *tally, const char *line, int64_t now_ms);

/* The last of the list, and the end of the progress line. */
void tally_close(struct tally *tally);

#endif
