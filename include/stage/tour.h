/* A walk that only looks: at the sources, templates and bytecode below some roots. */
#ifndef STAGE_TOUR_H
#define STAGE_TOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "plan/plan.h"
#include "stage/roots.h"
#include "stage/walk.h"

enum tour_sort { TOUR_OTHER, TOUR_SOURCE, TOUR_TEMPLATE, TOUR_BYTECODE };

struct tour_file {
    enum tour_sort sort;
    const struct walk_dir *dir;
    const struct tree_entry *entry;
    bool in_cache; /* the folder is a __pycache__ */
};

struct tour {
    void (*file)(void *context, const struct tour_file *file); /* never of TOUR_OTHER */
    void *context;
    int64_t deadline_ms;
    size_t unread; /* folders and roots */
    char first_unread[256];
    size_t mounts; /* below the roots, and no roots themselves: not entered */
    char first_mount[256];
    const struct roots *roots;
};

/* What a name says. */
enum tour_sort tour_sort(const char *name, size_t length);

/* Passes over .git, node_modules, installed packages, links, and other mounts' folders. False: its
 * time was over. */
MUST_USE bool tour_run(struct tour *tour, const struct roots *roots);

/* The whole path of a file; false when it is too long. */
bool tour_path(const struct walk_dir *dir, const char *name, char *out, size_t out_size);

/* Where the application's code lies: the roots of the stages that clear bytecode or touch, without
 * /tmp; else [server] workdir, else the working directory. */
MUST_USE int tour_roots(const struct plan *plan, struct roots *out, struct fault *why);

/* Each of the words as a root. */
MUST_USE int tour_add(struct roots *roots, const struct words *words, struct fault *why);

#endif
