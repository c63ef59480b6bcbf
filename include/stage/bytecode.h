/* One bytecode file on disk: reads what the judgement needs, and no more. */
#ifndef STAGE_BYTECODE_H
#define STAGE_BYTECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "stage/birth.h"
#include "stage/pyc.h"
#include "stage/seal.h"
#include "stage/tree.h"

/* Where it was found. */
struct bytecode_place {
    int dir;
    const char *sources; /* what comes before the source's name: "../", "", "/app/pkg/" */
    bool in_cache;
    bool is_prefix; /* a PYTHONPYCACHEPREFIX: the sources may be on another mount */
    const struct birth *birth;
    const struct seal *seal; /* NULL: none */
    const char *path;        /* of the directory; only asked for with a seal */
};

/* The verdict and the file's size; -1 with errno when it, or its source, can't be read. */
MUST_USE int bytecode_judge(const struct bytecode_place *place, const struct tree_entry *entry,
                            const struct pyc_name *name, enum pyc_verdict *verdict, int64_t *size);

/* Is there a source for it? -1 with errno when that can't be seen. */
MUST_USE int bytecode_has_source(const struct bytecode_place *place, const struct tree_entry *entry,
                                 const struct pyc_name *name, bool *has_source);

#endif
