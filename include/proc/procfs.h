/* What /proc tells of a process, nothing else. Allocates nothing. */
#ifndef PROC_PROCFS_H
#define PROC_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"

struct procfs_entry {
    pid_t pid;
    pid_t parent;
    pid_t group;
    char state;      /* 'Z' when it has ended */
    uint64_t start;  /* clock ticks since boot */
    bool has_execed; /* since its parent's fork */
    char name[32];   /* escaped */
};

/* False when there is no such process, or /proc does not tell. */
bool procfs_read(pid_t pid, struct procfs_entry *out);

/* Whose process it is. False when there is none, or /proc does not tell. */
bool procfs_user(pid_t pid, uid_t *out);

/* A walk over all processes. */
struct procfs_walk {
    int fd;
    size_t used;
    size_t next;
    _Alignas(8) char buffer[2048];
};

/* False when /proc can't be read, or is that of another PID namespace. */
MUST_USE bool procfs_open(struct procfs_walk *walk);
/* The next process; false after the last one, and the walk is closed. */
bool procfs_next(struct procfs_walk *walk, struct procfs_entry *out);

/* Is it a child, grandchild and so on of `ancestor`, as far as /proc tells now? */
bool procfs_descends(pid_t pid, pid_t ancestor);

/* Is it in the process group of `leader`, or a descendant of it? */
bool procfs_belongs(const struct procfs_entry *entry, pid_t leader);

/* Is it Python's own resource tracker? It lives as long as the server's master and runs nothing of
 * the application, so it is no worker. */
bool procfs_is_helper(pid_t pid);

#endif
