/* The open folders of one walker, from the root to where it is, and their path. */
#ifndef STAGE_STACK_H
#define STAGE_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "stage/crew.h"

/* Where the path of the next frame begins. */
size_t stack_end(const struct walker *me);

/* The path at `start`, `length` long, gets a slash and `name`; false when that does not fit. */
bool stack_append(struct walker *me, size_t start, size_t *length, const char *name);

/* A new top. Its path is in place; the lock is not held. */
void stack_push(struct walker *me, const struct frame *made);

/* The top is done with, and is counted in its parent. */
void stack_pop(struct walker *me, bool is_gone);

/* With the stack deep, the folder below the top is closed, and opened again by "..". */
void stack_close_below(struct walker *me, struct frame *below);
void stack_open_below(struct walker *me, const struct frame *top, struct frame *below);

#endif
