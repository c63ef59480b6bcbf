/*
 * What was built: release, and path, size and hash of each source, template and fresh bytecode
 * file below the sealed roots. The same files give the same bytes. A seal tells what has changed by
 * accident or by an old layer; it is no signature: only who owns the file vouches for it.
 */
#ifndef STAGE_SEAL_H
#define STAGE_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "stage/roots.h"

enum {
    SEAL_FILES_MAX = 1 << 19,
    SEAL_PATH_MAX = 4096,
    SEAL_RELEASE_SIZE = 132,
    SEAL_HASH_SIZE = 8,
    SEAL_KEY = 0x5ea1
};

struct seal_item {
    uint64_t path; /* its hash; 0: an empty place */
    uint64_t content;
    uint32_t size;
    uint32_t is_seen; /* for who compares */
};

struct seal {
    char release[SEAL_RELEASE_SIZE]; /* "" for none */
    struct roots roots;
    size_t count;
    size_t room; /* of items, a power of two */
    struct seal_item *items;
    const unsigned char *bytes; /* the files in the order of their paths, */
    size_t size;                /* for seal_next */
};

/* 0; 1: there is none; -1: it is cut, changed, or may be written by others. */
MUST_USE int seal_load(const char *path, struct seal *out, struct fault *why);

/* NULL: not sealed. */
struct seal_item *seal_find(const struct seal *seal, const char *path);

/* All paths of a seal, one after the other; start with { 0 }. False after the last one. */
struct seal_cursor {
    size_t at;
    size_t length;
    uint64_t content;
    uint32_t size;
    char path[SEAL_PATH_MAX];
};
bool seal_next(const struct seal *seal, struct seal_cursor *cursor);

/* Size and hash of a file's bytes; -1 with errno. */
MUST_USE int seal_hash(int dir, const char *name, uint32_t *size, uint64_t *content);

/* Does the file have the sealed bytes? 1, 0, or -1 with errno. */
int seal_matches(const struct seal_item *item, int dir, const char *name);

#endif
