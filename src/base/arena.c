/*
 * One block of address space, taken from the front. Only the pages in use cost memory.
 */
#include "base/arena.h"

#include <string.h>
#include <sys/mman.h>

static struct {
    char *start;
    size_t used;
} arena;

int arena_open(struct fault *why)
{
    void *start = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (start == MAP_FAILED)
        return fault_errno(why, "can't reserve %d bytes of memory", ARENA_SIZE);
    arena.start = start;
    arena.used = 0;
    return 0;
}

void *arena_take(size_t size)
{
    size_t aligned = (size + 15) & ~(size_t)15;

    if (aligned < size || aligned > ARENA_SIZE - arena.used) {
        /* The limits of the configuration keep it from coming here. */
        __builtin_trap();
    }
    void *taken = arena.start + arena.used;
    arena.used += aligned;
    return taken;
}

char *arena_text(const char *text, size_t length)
{
    char *copy = arena_take(length + 1);

    memcpy(copy, text, length);
    return copy;
}

void *arena_pages(size_t size, bool is_shared)
{
    int flags = (is_shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | MAP_NORESERVE;
    void *pages = mmap(NULL, size > 0 ? size : 1, PROT_READ | PROT_WRITE, flags, -1, 0);

    return pages == MAP_FAILED ? NULL : pages;
}

int arena_reopen(struct fault *why)
{
    if (mprotect(arena.start, ARENA_SIZE, PROT_READ | PROT_WRITE) < 0)
        return fault_errno(why, "can't make the plan writable");
    return 0;
}

int arena_seal(struct fault *why)
{
    if (mprotect(arena.start, ARENA_SIZE, PROT_READ) < 0)
        return fault_errno(why, "can't make the plan read-only");
    return 0;
}
