/*
 * The only storage of what lives as long as the process: reserved at start, sealed (made read-only)
 * once the plan is made. Nothing is given back. Taking more than there is ends the process: the
 * configuration is limited to far less.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"

/* Less than a huge page, which the kernel would fill with zeros at the first byte taken. */
enum { ARENA_SIZE = 2 * 1024 * 1024 - 4096 };

MUST_USE int arena_open(struct fault *why);

/* Zeroed, aligned for anything. Never NULL. */
void *arena_take(size_t size);

/* A copy of `length` bytes of text, with an end. */
char *arena_text(const char *text, size_t length);

/* Zeroed pages of their own beside it, which no seal makes read-only; shared with children that are
 * made later where that is wanted. NULL with errno. */
void *arena_pages(size_t size, bool is_shared);

/* In a child: what was sealed may be written again, which its parent never sees. */
MUST_USE int arena_reopen(struct fault *why);

/* Before a long wait: gives back what calls that are over took of the stack below the caller. */
NOT_INLINE void arena_give_back(void);

/* From here on a write to the arena is a crash. */
MUST_USE int arena_seal(struct fault *why);

#endif
