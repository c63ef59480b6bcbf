/* Signals to processes: one, a group, or whatever is left. The only place that calls kill. */
#ifndef PROC_GROUP_H
#define PROC_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum group_scope { GROUP_ONE, GROUP_ALL };

/* A process that is gone is no error; one that may not be signalled is logged. */
void group_signal(pid_t pid, int number, enum group_scope scope);

/* Signals everything that is left but freshinit: as PID 1 everything in the namespace, at once;
 * else every descendant, never a neighbour. Stopped ones are woken, so that they hear it. */
void group_sweep(int number);

/* Is anything left? As PID 1 that includes what `docker exec` started, which can't be reaped. */
bool group_is_alone(void);

/* Is there such a process, also one of another user, and one that has ended but was not reaped? */
bool group_has(pid_t pid);

/* Names what a sweep would meet, less `except`; of one group where `group` is not 0: "23 (python3),
 * 24 (sleep) and 3 more". Returns how many there are. */
size_t group_name_rest(pid_t group, pid_t except, char *out, size_t out_size);

/* Signals exactly this process, which began at `start` (of procfs): false when it is gone. */
bool group_signal_exact(pid_t pid, uint64_t start, int number);

/* Suspends freshinit itself, for the shell that it is a job of. */
void group_suspend_self(void);

#endif
