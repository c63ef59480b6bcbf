/* What a walk tells of a folder, and what it asks about it (no functions). */
#ifndef STAGE_VISIT_H
#define STAGE_VISIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage/tree.h"

enum { WALK_CREW_MAX = 4 };

/* What holds in a directory: sets of the caller's stages, one bit for each. */
struct walk_place {
    uint64_t active; /* looks at it */
    uint64_t whole;  /* takes all of it */
    uint64_t cache;  /* it is a __pycache__ to be judged */
    uint64_t prefix; /* it belongs to a PYTHONPYCACHEPREFIX */
};

/* The directory that is being read. */
struct walk_dir {
    int fd;
    struct walk_place place;
    const char *path;   /* with the root in front; only its end is missing when it is cut */
    size_t root_length; /* of the root's own text in `path` */
    bool is_cut;        /* the path did not fit */
    bool is_root;
    uint64_t kept; /* of its entries */
    uint64_t files_removed;
    uint64_t folders_removed;
    int crew; /* which thread: 0 is the caller's own */
};

enum walk_done { WALK_KEPT = 0, WALK_GONE = 1, WALK_COSTLY = 2 };

/* Called by several threads at once, each with its own `crew`. */
struct walk_calls {
    /* What holds below; false leaves the folder alone, unopened. */
    bool (*enter)(void *context, const struct walk_dir *dir, const struct tree_entry *entry,
                  struct walk_place *below);
    /* Of enum walk_done: WALK_COSTLY when it took more than a look at the name. */
    unsigned (*file)(void *context, const struct walk_dir *dir, const struct tree_entry *entry);
    /* All of it was seen: is the folder itself to be removed? */
    bool (*leave)(void *context, const struct walk_dir *dir);
    /* Removes the empty folder `name`, which was `path`; WALK_GONE, or WALK_KEPT with errno. */
    unsigned (*remove)(void *context, int parent, const char *name, const struct walk_dir *dir);
    /* The entry `name` of `dir` could not be read or opened: errno says why. NULL: `dir` itself. */
    void (*failed)(void *context, const struct walk_dir *dir, const char *name);
    /* From time to time, from the caller's own thread; false ends the walk. */
    bool (*tick)(void *context);
};

#endif
