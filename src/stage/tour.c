/*
 * Walks code without changing it. By one thread, in whatever order the file system has.
 */
#include "stage/tour.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"

static bool ends_in(const char *name, size_t length, const char *ending)
{
    size_t size = strlen(ending);

    return length > size && memcmp(name + length - size, ending, size) == 0;
}

enum tour_sort tour_sort(const char *name, size_t length)
{
    static const char *const templates[] = { ".html", ".htm",  ".jinja", ".jinja2",
                                             ".j2",   ".mako", ".tmpl",  ".djhtml" };

    if (ends_in(name, length, ".py") || ends_in(name, length, ".so"))
        return TOUR_SOURCE;
    if (ends_in(name, length, ".pyc"))
        return TOUR_BYTECODE;
    for (size_t i = 0; i < COUNT(templates); i++)
        if (ends_in(name, length, templates[i]))
            return TOUR_TEMPLATE;
    return TOUR_OTHER;
}

bool tour_path(const struct walk_dir *dir, const char *name, char *out, size_t out_size)
{
    int length = snprintf(out, out_size, "%s/%s", dir->path, name);

    return !dir->is_cut && length > 0 && (size_t)length < out_size;
}

static bool tour_enter(void *context, const struct walk_dir *dir, const struct tree_entry *entry,
                       struct walk_place *below)
{
    static const char *const passed[] = { ".git", "node_modules", "site-packages",
                                          "dist-packages" };

    (void)context;
    for (size_t i = 0; i < COUNT(passed); i++)
        if (strcmp(entry->name, passed[i]) == 0)
            return false;
    *below = (struct walk_place){ .active = dir->place.active,
                                  .cache = strcmp(entry->name, "__pycache__") == 0 };
    return true;
}

static unsigned tour_file(void *context, const struct walk_dir *dir, const struct tree_entry *entry)
{
    struct tour *tour = context;
    struct tour_file file = { .sort = tour_sort(entry->name, entry->length),
                              .dir = dir,
                              .entry = entry,
                              .in_cache = dir->place.cache != 0 };

    if (entry->type == DT_REG && file.sort != TOUR_OTHER)
        tour->file(tour->context, &file);
    return WALK_KEPT;
}

static bool tour_leave(void *context, const struct walk_dir *dir)
{
    (void)context;
    (void)dir;
    return false;
}

static unsigned tour_remove(void *context, int parent, const char *name, const struct walk_dir *dir)
{
    (void)context;
    (void)parent;
    (void)name;
    (void)dir;
    return WALK_KEPT;
}

static void note_unread(struct tour *tour, const char *path, int error)
{
    char safe[sizeof tour->first_unread / 2];

    if (tour->unread++ == 0)
        snprintf(tour->first_unread, sizeof tour->first_unread, "%s: %s",
                 escape_text(path, safe, sizeof safe), strerror(error));
}

static void tour_failed(void *context, const struct walk_dir *dir, const char *name)
{
    struct tour *tour = context;
    char path[4200];
    int error = errno;

    if (error == ENOENT || error == ENOTDIR || error == ELOOP)
        return;
    snprintf(path, sizeof path, "%s%s%s", dir->path, name ? "/" : "", name ? name : "");
    if (error != EXDEV)
        note_unread(tour, path, error);
    else if (name && !roots_has(tour->roots, dir->path, name) && tour->mounts++ == 0)
        escape_text(path, tour->first_mount, sizeof tour->first_mount);
}

static bool tour_tick(void *context)
{
    const struct tour *tour = context;

    return clock_left(tour->deadline_ms) != 0;
}

bool tour_run(struct tour *tour, const struct roots *roots)
{
    static const struct walk_calls calls = { .enter = tour_enter,
                                             .file = tour_file,
                                             .leave = tour_leave,
                                             .remove = tour_remove,
                                             .failed = tour_failed,
                                             .tick = tour_tick };
    bool is_whole = true;

    tour->unread = tour->mounts = 0;
    tour->roots = roots;
    for (size_t i = 0; i < roots->count && is_whole; i++) {
        struct walk_root root = { .path = roots->items[i].path,
                                  .place = { .active = 1,
                                             .cache = ends_in(roots->items[i].path,
                                                              strlen(roots->items[i].path),
                                                              "/__pycache__") } };
        root.fd = tree_root(root.path);
        if (root.fd < 0) {
            note_unread(tour, root.path, errno);
            continue;
        }
        is_whole = walk_run(&root, 1, 1, &calls, tour);
        tree_close(root.fd);
    }
    return is_whole;
}

int tour_add(struct roots *roots, const struct words *words, struct fault *why)
{
    const struct root as = { .stages = 1 };
    size_t found;

    for (size_t i = 0; i < words->count; i++)
        if (roots_add(roots, words->items[i], &as, false, &found, why) < 0)
            return -1;
    return 0;
}

static bool is_of_code(const struct stage_plan *stage)
{
    if (stage->action == ACTION_TOUCH)
        return true;
    for (size_t i = 0; stage->action == ACTION_CLEAR && i < stage->subjects.count; i++)
        if (strcmp(stage->subjects.items[i], "bytecode") == 0)
            return true;
    return false;
}

static int add_word(struct roots *roots, const char *word, struct fault *why)
{
    char *const items[] = { (char *)(uintptr_t)word, NULL };
    const struct words words = { .items = items, .count = 1 };

    if (strcmp(word, "/tmp") == 0 || strncmp(word, "/tmp/__pycache__", 16) == 0)
        return 0;
    return tour_add(roots, &words, why);
}

int tour_roots(const struct plan *plan, struct roots *out, struct fault *why)
{
    out->count = out->used = 0;
    for (size_t i = 0; i < plan->stage_count; i++)
        for (size_t j = 0; is_of_code(&plan->stages[i]) && j < plan->stages[i].in.count; j++)
            if (add_word(out, plan->stages[i].in.items[j], why) < 0)
                return -1;
    if (out->count > 0)
        return 0;
    return add_word(out, plan->server.workdir ? plan->server.workdir : ".", why);
}
