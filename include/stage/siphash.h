/* SipHash over bytes that come in pieces, as CPython hashes its sources: one 64-bit number. */
#ifndef STAGE_SIPHASH_H
#define STAGE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

enum siphash_kind { SIPHASH_13, SIPHASH_24 };

struct siphash {
    uint64_t state[4];
    uint64_t length;       /* bytes so far */
    unsigned char rest[8]; /* the last length % 8 of them */
    enum siphash_kind kind;
};

/* The second half of CPython's key is always 0. */
void siphash_start(struct siphash *hash, enum siphash_kind kind, uint64_t key);
void siphash_feed(struct siphash *hash, const void *data, size_t size);
uint64_t siphash_end(struct siphash *hash);

#endif
