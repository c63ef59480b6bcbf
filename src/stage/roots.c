/* Roots from words. Reads directories only to resolve globs; opens no root. */
#include "stage/roots.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan/folders.h"
#include "stage/pattern.h"
#include "stage/tree.h"

/* Each one is a level of recursion. */
enum { GLOBS_MAX = 8 };

/* Copies `path` without empty and "." components. -1 with errno when it does not fit. */
static int tidy(const char *path, char *out, size_t out_size)
{
    size_t used = 0;

    while (*path != '\0') {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        if (length == 0 || (length == 1 && *path == '.')) {
            path += length;
            continue;
        }
        if (used + length + 2 > out_size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        out[used++] = '/';
        memcpy(out + used, path, length);
        used += length;
        path += length;
    }
    if (used == 0)
        out[used++] = '/';
    out[used] = '\0';
    return 0;
}

static int refuse_system(const char *path, const char *word, bool is_empty, struct fault *why)
{
    const char *closed = folders_above(folders_closed, path);

    if (closed)
        return fault_set(why, "\"%s\": nothing below %s is ever cleared", word, closed);
    if (folders_is_system(path))
        return fault_set(why, "\"%s\" belongs to the system; name the folder of the application",
                         word);
    if (is_empty && folders_find(folders_kept, path))
        return fault_set(why, "\"%s\" is never emptied as a whole; name a folder in it", word);
    return 0;
}

int roots_check(const char *word, bool is_empty, struct fault *why)
{
    char path[PATH_MAX];
    int globs = 0;

    if (*word == '\0')
        return fault_set(why, "an empty path");
    for (const char *at = word; *at != '\0';) {
        size_t length = strcspn(at, "/");
        globs += pattern_has_wildcard(at, length);
        if (length == 2 && memcmp(at, "..", 2) == 0)
            return fault_set(why, "\"%s\": a path may not have \"..\" in it", word);
        at += length + (at[length] == '/');
    }
    if (globs > GLOBS_MAX)
        return fault_set(why, "\"%s\" has more than %d components with a wildcard", word,
                         GLOBS_MAX);
    if (*word != '/')
        return 0;
    if (tidy(word, path, sizeof path) < 0)
        return fault_set(why, "\"%.100s...\": the path is too long", word);
    return refuse_system(path, word, is_empty, why);
}

/* A glob being resolved: the way so far in `path`, and where found paths go. */
struct search {
    struct roots *roots;
    const struct root *as;
    const char *word;
    bool is_empty;
    size_t found;
    size_t used;
    char path[PATH_MAX];
};

/* In order of their names, so that logs can be compared. */
static int keep(struct search *search, struct fault *why)
{
    struct roots *roots = search->roots;
    size_t at = roots->count;

    if (refuse_system(search->path, search->path, search->is_empty, why) < 0)
        return -1;
    for (size_t i = 0; i < roots->count; i++) {
        if (strcmp(roots->items[i].path, search->path) == 0 &&
            roots->items[i].is_prefix == search->as->is_prefix) {
            roots->items[i].stages |= search->as->stages;
            search->found++;
            return 0;
        }
    }
    if (roots->count == ROOTS_MAX || roots->used + search->used + 1 > sizeof roots->text)
        return fault_set(why, "\"%s\" stands for too many folders (more than %d in all)",
                         search->word, ROOTS_MAX);
    char *text = roots->text + roots->used;
    memcpy(text, search->path, search->used + 1);
    roots->used += search->used + 1;
    size_t first = roots->count - search->found;
    while (at > first && strcmp(roots->items[at - 1].path, text) > 0) {
        roots->items[at] = roots->items[at - 1];
        at--;
    }
    roots->items[at] = *search->as;
    roots->items[at].path = text;
    roots->count++;
    search->found++;
    return 0;
}

static bool append(struct search *search, const char *name, size_t length)
{
    if (search->used + length + 2 > sizeof search->path)
        return false;
    if (search->used == 0 || search->path[search->used - 1] != '/')
        search->path[search->used++] = '/';
    memcpy(search->path + search->used, name, length);
    search->used += length;
    search->path[search->used] = '\0';
    return true;
}

static int resolve(struct search *search, const char *rest, struct fault *why);

/* Each folder whose name matches the component, then what comes after it. */
static int resolve_component(struct search *search, const char *glob, size_t length,
                             struct fault *why)
{
    _Alignas(8) char room[4096];
    size_t used = search->used;
    struct tree_entry entry;
    ssize_t got;
    int result = 0;
    int fd = tree_root(used == 0 ? "/" : search->path);

    if (fd < 0)
        return 0;
    while (result == 0 && (got = tree_read(fd, room, sizeof room)) > 0) {
        struct tree_cursor cursor = { room, room + got };
        while (result == 0 && tree_next(&cursor, &entry)) {
            bool is_folder = entry.type == DT_DIR || entry.type == DT_UNKNOWN;
            if (!is_folder || (entry.name[0] == '.' && glob[0] != '.') ||
                !pattern_glob(glob, length, entry.name, entry.length))
                continue;
            if (append(search, entry.name, entry.length))
                result = resolve(search, glob + length, why);
            search->used = used;
            search->path[used] = '\0';
        }
    }
    tree_close(fd);
    return result;
}

static int resolve(struct search *search, const char *rest, struct fault *why)
{
    struct tree_stat st;
    struct fault unused;

    while (*(rest += strspn(rest, "/")) != '\0') {
        size_t length = strcspn(rest, "/");
        if (pattern_has_wildcard(rest, length))
            return resolve_component(search, rest, length, why);
        if (!append(search, rest, length))
            return fault_set(why, "\"%.100s...\": the path is too long", search->word);
        rest += length;
    }
    if (!pattern_has_wildcard(search->word, strlen(search->word)))
        return keep(search, why);
    /* A glob means what fits it, not what is refused or missing. */
    fault_clear(&unused);
    if (tree_stat(AT_FDCWD, search->path, false, &st) < 0 || !S_ISDIR(st.mode) ||
        refuse_system(search->path, search->path, search->is_empty, &unused) < 0)
        return 0;
    return keep(search, why);
}

int roots_add(struct roots *roots, const char *word, const struct root *as, bool is_empty,
              size_t *found, struct fault *why)
{
    char path[PATH_MAX];
    char here[PATH_MAX];
    struct search search = {
        .roots = roots, .as = as, .word = word, .is_empty = is_empty, .path = "/", .used = 1
    };

    if (roots_check(word, is_empty, why) < 0)
        return -1;
    here[0] = '\0';
    if (*word != '/' && !getcwd(here, sizeof here))
        return fault_errno(why, "the working directory");
    if (strlen(here) + strlen(word) + 2 > sizeof path)
        return fault_set(why, "\"%.100s...\": the path is too long", word);
    char joined[2 * PATH_MAX];
    snprintf(joined, sizeof joined, "%s/%s", here, word);
    if (tidy(joined, path, sizeof path) < 0)
        return fault_set(why, "\"%.100s...\": the path is too long", word);
    if (resolve(&search, path, why) < 0)
        return -1;
    *found = search.found;
    return 0;
}

static bool is_one_of(const struct tree_stat *one, const char *const *folders)
{
    struct tree_stat other;

    for (; *folders; folders++)
        if (tree_stat(AT_FDCWD, *folders, true, &other) == 0 && other.device == one->device &&
            other.inode == one->inode)
            return true;
    return false;
}

bool roots_is_at(const char *path, const char *folder, const char *name)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && path[length] == '/' &&
           strcmp(path + length + 1, name) == 0;
}

bool roots_has(const struct roots *roots, const char *folder, const char *name)
{
    for (size_t i = 0; i < roots->count; i++)
        if (roots_is_at(roots->items[i].path, folder, name))
            return true;
    return false;
}

bool roots_is_system(int fd, bool is_empty)
{
    struct tree_stat st;

    return tree_stat(fd, "", false, &st) < 0 || is_one_of(&st, folders_closed) ||
           is_one_of(&st, folders_system) || (is_empty && is_one_of(&st, folders_kept));
}
