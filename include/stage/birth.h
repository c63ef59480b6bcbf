/* When this container's own files began: what changed earlier came with its image. */
#ifndef STAGE_BIRTH_H
#define STAGE_BIRTH_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct birth {
    bool is_known;
    struct timespec at; /* nothing in the container ran before */
    uint64_t mount;     /* of `/`; 0 when the kernel does not say */
    /* What is dated later was written before the clock was set back. Always known. */
    struct timespec latest;
};

/* Rather too early than too late: a file that is taken for the image's is judged less strictly. */
void birth_find(struct birth *out);

bool birth_is_later(struct timespec left, struct timespec right);

#endif
