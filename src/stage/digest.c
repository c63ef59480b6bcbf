/* Owns the reading of whole trees for `once = change`. Follows no link to a directory, enters no
 * mount, and holds one file's block in memory at a time. */
#include "stage/digest.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "stage/siphash.h"
#include "stage/tree.h"

enum { DEPTH_MAX = 200, BLOCK_SIZE = 64 * 1024 };

struct walk {
    struct digest *digest;
    const struct words *exclude;
    struct fault *why;
    char path[PATH_MAX];
    char room[TREE_ROOM];
    char block[BLOCK_SIZE];
};

/* Two numbers of 64 bits, so that no two trees meet by chance. */
struct pair {
    struct siphash half[2];
};

static void start(struct pair *pair, const char *path)
{
    siphash_start(&pair->half[0], SIPHASH_13, 1);
    siphash_start(&pair->half[1], SIPHASH_13, 2);
    for (int i = 0; i < 2; i++)
        siphash_feed(&pair->half[i], path, strlen(path) + 1);
}

static void feed(struct pair *pair, const void *data, size_t size)
{
    for (int i = 0; i < 2; i++)
        siphash_feed(&pair->half[i], data, size);
}

static void finish(struct pair *pair, struct digest *digest)
{
    /* A sum, so that the order of a directory plays no part. */
    for (int i = 0; i < 2; i++)
        digest->sum[i] += siphash_end(&pair->half[i]);
}

void digest_text(struct digest *digest, const char *text)
{
    struct pair pair;

    start(&pair, text);
    finish(&pair, digest);
}

/* A file that can't be read counts by what the kernel tells of it. */
static void feed_content(struct walk *walk, struct pair *pair, int fd, const struct tree_stat *st)
{
    ssize_t count = -1;

    while (fd >= 0 && (count = fdio_read(fd, walk->block, sizeof walk->block)) > 0) {
        feed(pair, walk->block, (size_t)count);
        if (count < (ssize_t)sizeof walk->block)
            break;
    }
    if (count < 0)
        feed(pair, &st->changed, sizeof st->changed);
}

static void add_file(struct walk *walk, int dir, const char *name)
{
    struct pair pair;
    struct tree_stat st;

    start(&pair, walk->path);
    if (tree_stat(dir, name, true, &st) == 0 && S_ISREG(st.mode)) {
        uint32_t mode = st.mode & 0111;
        int fd = tree_file(dir, name, true);
        feed(&pair, &mode, sizeof mode);
        feed_content(walk, &pair, fd, &st);
        tree_close(fd);
        walk->digest->files++;
    }
    finish(&pair, walk->digest);
}

static bool is_excluded(const struct walk *walk, const char *name)
{
    for (size_t i = 0; i < walk->exclude->count; i++)
        if (strcmp(walk->exclude->items[i], name) == 0)
            return true;
    return false;
}

static int add_directory(struct walk *walk, int dir, int depth);

/* One name; `walk->path` ends with the directory's. 1: the room was used for another directory. */
static int add_entry(struct walk *walk, int dir, const struct tree_entry *entry, int depth)
{
    size_t length = strlen(walk->path);
    struct tree_stat st;
    int result = 0;

    if (is_excluded(walk, entry->name))
        return 0;
    if (length + entry->length + 2 > sizeof walk->path)
        return fault_set(walk->why, "a path is too long below %s", walk->path);
    snprintf(walk->path + length, sizeof walk->path - length, "/%s", entry->name);
    if (tree_stat(dir, entry->name, false, &st) == 0 && S_ISDIR(st.mode)) {
        int child = tree_open(dir, entry->name);
        if (child >= 0) {
            result = add_directory(walk, child, depth + 1) < 0 ? -1 : 1;
            tree_close(child);
        } else if (errno != EXDEV && errno != ENOENT) {
            result = fault_errno(walk->why, "open %s", walk->path);
        }
    } else {
        add_file(walk, dir, entry->name);
    }
    walk->path[length] = '\0';
    return result;
}

static int add_directory(struct walk *walk, int dir, int depth)
{
    ssize_t size;

    if (depth > DEPTH_MAX)
        return fault_set(walk->why, "%s is deeper than %d folders", walk->path, DEPTH_MAX);
    while ((size = tree_read(dir, walk->room, sizeof walk->room)) > 0) {
        struct tree_cursor cursor = { .at = walk->room, .end = walk->room + size };
        struct tree_entry entry;
        while (tree_next(&cursor, &entry)) {
            int64_t next = entry.next;
            int used = add_entry(walk, dir, &entry, depth);
            if (used < 0)
                return -1;
            /* The room is another's now: read on after this entry. */
            if (used == 1 && tree_seek(dir, next) < 0)
                return fault_errno(walk->why, "read %s", walk->path);
            if (used == 1)
                break;
        }
    }
    return size < 0 ? fault_errno(walk->why, "read %s", walk->path) : 0;
}

/* A root that is one file. */
static int add_single(struct walk *walk)
{
    char folder[PATH_MAX];
    char *slash;

    snprintf(folder, sizeof folder, "%s", walk->path);
    slash = strrchr(folder, '/');
    *slash = '\0';
    int dir = tree_root(folder[0] ? folder : "/");
    if (dir < 0)
        return fault_errno(walk->why, "open %s", walk->path);
    add_file(walk, dir, slash + 1);
    tree_close(dir);
    return 0;
}

int digest_add(struct digest *digest, const char *root, const struct words *exclude,
               struct fault *why)
{
    struct walk walk = { .digest = digest, .exclude = exclude, .why = why };
    struct stat st;

    if (!realpath(root, walk.path) || stat(walk.path, &st) < 0) {
        if (errno != ENOENT)
            return fault_errno(why, "read %s", root);
        digest_text(digest, root);
        return 0;
    }
    if (!S_ISDIR(st.st_mode))
        return add_single(&walk);
    int dir = tree_root(walk.path);
    if (dir < 0)
        return fault_errno(why, "open %s", walk.path);
    int result = add_directory(&walk, dir, 0);
    tree_close(dir);
    return result;
}
