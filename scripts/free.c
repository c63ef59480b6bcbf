/*
 * musl's allocator in the static build: it hands out and never takes back, with its own lite_malloc.
 * Only getaddrinfo asks for memory, in children that end soon; the whole allocator would be 8 KB.
 */
#include <stdlib.h>

void __libc_free(void *memory)
{
    (void)memory;
}
