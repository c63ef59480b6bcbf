/* SipHash-1-3 and SipHash-2-4 with 64 bits of result. Owns no storage. */
#include "stage/siphash.h"

#include <string.h>

static inline uint64_t turn(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static inline void stir(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = turn(v[1], 13) ^ v[0];
    v[3] = turn(v[3], 16) ^ v[2];
    v[0] = turn(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = turn(v[1], 17) ^ v[2];
    v[3] = turn(v[3], 21) ^ v[0];
    v[2] = turn(v[2], 32);
}

static inline uint64_t word_at(const unsigned char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline void take(uint64_t v[4], uint64_t word, enum siphash_kind kind)
{
    v[3] ^= word;
    stir(v);
    if (kind == SIPHASH_24)
        stir(v);
    v[0] ^= word;
}

/* The state lives in registers while whole words are taken, which is where the speed comes from. */
static inline void take_words(struct siphash *hash, const unsigned char *bytes, size_t words,
                              enum siphash_kind kind)
{
    uint64_t v[4];

    memcpy(v, hash->state, sizeof v);
    for (size_t i = 0; i < words; i++)
        take(v, word_at(bytes + i * 8), kind);
    memcpy(hash->state, v, sizeof v);
}

void siphash_start(struct siphash *hash, enum siphash_kind kind, uint64_t key)
{
    *hash = (struct siphash){
        .state = { 0x736f6d6570736575U ^ key, 0x646f72616e646f6dU, 0x6c7967656e657261U ^ key,
                   0x7465646279746573U },
        .kind = kind,
    };
}

void siphash_feed(struct siphash *hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    size_t kept = hash->length % 8;

    hash->length += size;
    if (kept > 0) {
        size_t wanted = 8 - kept < size ? 8 - kept : size;
        memcpy(hash->rest + kept, bytes, wanted);
        bytes += wanted;
        size -= wanted;
        if (kept + wanted < 8)
            return;
        take(hash->state, word_at(hash->rest), hash->kind);
    }
    if (hash->kind == SIPHASH_24)
        take_words(hash, bytes, size / 8, SIPHASH_24);
    else
        take_words(hash, bytes, size / 8, SIPHASH_13);
    memcpy(hash->rest, bytes + size / 8 * 8, size % 8);
}

uint64_t siphash_end(struct siphash *hash)
{
    uint64_t *v = hash->state;
    size_t kept = hash->length % 8;
    int rounds = hash->kind == SIPHASH_24 ? 4 : 3;

    memset(hash->rest + kept, 0, 8 - kept);
    take(v, word_at(hash->rest) | hash->length << 56, hash->kind);
    v[2] ^= 0xff;
    for (int i = 0; i < rounds; i++)
        stir(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
