/*
 * Is this bytecode made from that source? A pure judgement over what the caller has read: the name,
 * the first bytes, and the times the kernel keeps. Opens nothing.
 */
#ifndef STAGE_PYC_H
#define STAGE_PYC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/attr.h"
#include "stage/siphash.h"

enum { PYC_HEADER = 16, PYC_HEAD = 32 };

/* What a file's name alone says. */
enum pyc_sort {
    PYC_NONE,     /* no bytecode */
    PYC_CACHED,   /* x.cpython-311.pyc, x.cpython-311.opt-1.pyc */
    PYC_PLAIN,    /* x.pyc: beside its source, or instead of it */
    PYC_OLD,      /* x.pyo: Python 3 never reads it */
    PYC_LEFTOVER, /* x.pyc.140213: written, but never put in place */
    PYC_OTHER     /* x.pypy39.pyc: of another Python */
};

struct pyc_name {
    enum pyc_sort sort;
    size_t stem_length; /* the source is stem + ".py" */
    int minor;          /* 11 for cpython-311; 0 when the name does not say */
};

/* `in_cache`: the folder is a __pycache__ or a PYTHONPYCACHEPREFIX, where names carry a tag. */
struct pyc_name pyc_name(const char *name, size_t length, bool in_cache);

enum pyc_verdict {
    PYC_FRESH,      /* shown to be made from today's source */
    PYC_MISMATCH,   /* Python will not run it: magic, mtime, size or checked hash differ */
    PYC_STALE,      /* Python would run it, and its source is another */
    PYC_UNPROVEN,   /* Python would run it, and the source has changed since it was written */
    PYC_CORRUPT,    /* too short, or a body that is none */
    PYC_ORPHAN,     /* in a cache, and the source is gone */
    PYC_SOURCELESS, /* outside a cache, and no source: it may be the application */
    PYC_FOREIGN     /* another Python's, or a version that is not known here */
};

struct pyc_facts {
    struct pyc_name name;
    bool in_cache;
    const unsigned char *head; /* the first bytes of the file */
    size_t head_size;
    bool has_source;
    uint32_t source_mtime; /* as the header keeps them */
    uint32_t source_size;
    struct timespec source_changed;
    struct timespec written; /* of the bytecode, at the latest */
    bool trusts_mtime;       /* both came with the image: ctimes tell nothing */
    /* Both as they were sealed: 1; the bytecode is, and the source is another: 0; else, or NULL:
     * -1. */
    int (*sealed)(void *context);
    /* The hash of the source's bytes; false when they can't be read. */
    bool (*hash)(void *context, enum siphash_kind kind, uint64_t key, uint64_t *out);
    void *context;
};

MUST_USE enum pyc_verdict pyc_verdict(const struct pyc_facts *facts);

/* May a cache stage remove it? Not what is fresh, and not what may be someone's only copy. */
bool pyc_is_clearable(enum pyc_verdict verdict);

/* In words, for tests and the debug log. */
const char *pyc_text(enum pyc_verdict verdict);

#endif
