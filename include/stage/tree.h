/*
 * Directories held by descriptor: opened one step at a time, never through a symbolic link, never
 * across a mount. Every path that a stage opens or removes goes through here.
 */
#ifndef STAGE_TREE_H
#define STAGE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/attr.h"

/* What the kernel tells of a file. */
struct tree_stat {
    mode_t mode;
    uint32_t links;
    int64_t size;
    uint64_t device;
    uint64_t inode;
    struct timespec modified; /* mtime: anyone may set it */
    struct timespec changed;  /* ctime: only the kernel sets it */
    struct timespec born;     /* of the inode; zero when the file system does not say */
    uint64_t mount;           /* which mount it was found on; 0 when the kernel does not say */
};

/* One name in a directory. */
struct tree_entry {
    const char *name;
    size_t length;
    unsigned char type; /* DT_REG and so on, DT_UNKNOWN on some file systems */
    int64_t next;       /* where the directory is read on after this entry */
};

/* A place in what tree_read has read. */
struct tree_cursor {
    const char *at;
    const char *end;
};

enum { TREE_ROOM = 64 * 1024 };

/* All return -1 with errno set. `path` is absolute; ELOOP when a link is on the way. */
MUST_USE int tree_root(const char *path);
/* The directory `path` below `dir`, most often just a name. EXDEV: a mount. ELOOP, ENOTDIR, ENOENT:
 * it is no longer one. */
MUST_USE int tree_open(int dir, const char *path);
/* The parent of `dir`, when it still is the one that was known. */
MUST_USE int tree_parent(int dir, uint64_t device, uint64_t inode);
/* A plain file for reading. Never waits, never opens a device or a FIFO. With `follows` a link is
 * followed, as Python follows it. */
MUST_USE int tree_file(int dir, const char *name, bool follows);
void tree_close(int fd);

/* `name` may be "" for `dir` itself. Does not follow a link unless asked. */
MUST_USE int tree_stat(int dir, const char *name, bool follows, struct tree_stat *out);

/* The next entries, up to `size` bytes of them, into `room`; how many bytes, 0 at the end. */
MUST_USE ssize_t tree_read(int dir, char *room, size_t size);
/* Reads on from `position`, or from the start with 0. */
MUST_USE int tree_seek(int dir, int64_t position);
/* The next entry but "." and ".."; false at the end of the room. */
bool tree_next(struct tree_cursor *cursor, struct tree_entry *out);

MUST_USE int tree_remove(int dir, const char *name, bool is_directory);

#endif
