/* A bytecode file of any bytes, under any name, beside any source. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stage/pyc.h"

/* How the input is cut: facts first, then a name with its end, then the file's head. */
struct facts {
    uint8_t bits;
    uint8_t name_length;
    uint32_t mtime;
    uint32_t size;
    int32_t changed;
    int32_t written;
};

static bool hash(void *context, enum siphash_kind kind, uint64_t key, uint64_t *out)
{
    const struct facts *facts = context;
    struct siphash state;

    siphash_start(&state, kind, key);
    siphash_feed(&state, facts, sizeof *facts);
    *out = siphash_end(&state);
    return !(facts->bits & 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct facts told;
    unsigned char head[PYC_HEAD];
    char name[256];

    if (size < sizeof told)
        return -1;
    memcpy(&told, data, sizeof told);
    data += sizeof told;
    size -= sizeof told;
    size_t name_length = told.name_length < size ? told.name_length : size;
    memcpy(name, data, name_length);
    size_t head_size = size - name_length < sizeof head ? size - name_length : sizeof head;
    memcpy(head, data + name_length, head_size);
    struct pyc_facts facts = {
        .name = pyc_name(name, name_length, told.bits & 1),
        .in_cache = told.bits & 1,
        .head = head,
        .head_size = head_size,
        .has_source = told.bits & 2,
        .source_mtime = told.mtime,
        .source_size = told.size,
        .source_changed = { .tv_sec = told.changed },
        .written = { .tv_sec = told.written },
        .trusts_mtime = told.bits & 4,
        .hash = hash,
        .context = &told,
    };
    if (facts.name.sort != PYC_NONE && facts.name.stem_length > name_length)
        abort();
    enum pyc_verdict verdict = pyc_verdict(&facts);
    /* Fresh is only what has a source, a whole header and a body. */
    if (verdict == PYC_FRESH &&
        (!facts.has_source || head_size <= PYC_HEADER || head[PYC_HEADER] == 0))
        abort();
    if (verdict == PYC_SOURCELESS && (facts.in_cache || facts.has_source))
        abort();
    return pyc_text(verdict) ? 0 : -1;
}
