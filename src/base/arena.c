/*
 * One block of address space, taken from the front. Only the pages in use cost memory; a stack that
 * went deep once gives back what lies below.
 */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* What reading a plan takes of the stack, and what the last call of all may take. */
enum { PAGE = 4096, STACK_PAGES = 28, CALL_SIZE = 1024 };

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

void arena_give_back(void)
{
    /* Not inlined, so that this is below whatever is in use. */
    uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - CALL_SIZE) / PAGE * PAGE;

    madvise((void *)(end - STACK_PAGES * PAGE), STACK_PAGES * PAGE, MADV_DONTNEED);
}
