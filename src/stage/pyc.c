/*
 * The judgement over one bytecode file. Pure: what it needs of the source comes through a function.
 */
#include "stage/pyc.h"

#include <string.h>

enum { OLDEST_MINOR = 7, NEWEST_MINOR = 29, MAGIC_STEP = 50, MAGIC_OF_11 = 3450 };
enum { FLAG_HASH = 1, FLAG_CHECK = 2 };

/* Magic numbers of the minors before there was a range of 50 for each. */
static const struct {
    int minor;
    unsigned first;
    unsigned last;
} old_magics[] = { { 7, 3390, 3399 }, { 8, 3400, 3419 }, { 9, 3420, 3429 }, { 10, 3430, 3449 } };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool ends_in(const char *name, size_t length, const char *ending)
{
    size_t size = strlen(ending);

    return length > size && memcmp(name + length - size, ending, size) == 0;
}

/* Without ".1234" at the end, where there is one. */
static size_t without_digits(const char *name, size_t length)
{
    size_t end = length;

    while (end > 0 && is_digit(name[end - 1]))
        end--;
    return end > 0 && end < length && name[end - 1] == '.' ? end - 1 : length;
}

/* The minor of "cpython-311" or "cpython-311-pytest-7.4.0"; 0 when it is another implementation. */
static int minor_of_tag(const char *tag, size_t length)
{
    static const char own[] = "cpython-3";
    size_t at = sizeof own - 1;
    int minor = 0;

    if (length <= at || memcmp(tag, own, at) != 0)
        return 0;
    for (; at < length && is_digit(tag[at]) && minor < 1000; at++)
        minor = minor * 10 + (tag[at] - '0');
    return at == length || tag[at] == '-' ? minor : 0;
}

/* Where the tag begins, without its dot; `length` when there is none. Pytest's tags have dots of
 * their own, so CPython's is looked for by its name first. */
static size_t find_tag(const char *name, size_t length)
{
    static const char own[] = ".cpython-";
    size_t size = sizeof own - 1;

    for (size_t i = length; i-- > 1;) {
        if (i + size <= length && memcmp(name + i, own, size) == 0)
            return i + 1;
    }
    for (size_t i = length; i-- > 1;) {
        if (name[i] == '.')
            return i + 1;
    }
    return length;
}

static struct pyc_name name_in_cache(const char *name, size_t length)
{
    /* "opt-1" and the like stand between the tag and ".pyc". */
    for (size_t i = length; i-- > 1;) {
        if (name[i] != '.')
            continue;
        if (length - i > 5 && memcmp(name + i, ".opt-", 5) == 0)
            length = i;
        break;
    }
    size_t tag = find_tag(name, length);
    if (tag == length)
        return (struct pyc_name){ .sort = PYC_OTHER };
    int minor = minor_of_tag(name + tag, length - tag);
    return (struct pyc_name){ .sort = minor > 0 ? PYC_CACHED : PYC_OTHER,
                              .stem_length = tag - 1,
                              .minor = minor };
}

struct pyc_name pyc_name(const char *name, size_t length, bool in_cache)
{
    char last = length > 4 ? name[length - 1] : '\0';

    if (last == 'o' && ends_in(name, length, ".pyo"))
        return (struct pyc_name){ .sort = PYC_OLD };
    if (is_digit(last)) {
        size_t end = without_digits(name, length);
        if (end < length && ends_in(name, end, ".pyc"))
            return (struct pyc_name){ .sort = PYC_LEFTOVER };
    }
    if (last != 'c' || !ends_in(name, length, ".pyc"))
        return (struct pyc_name){ .sort = PYC_NONE };
    if (in_cache)
        return name_in_cache(name, length - 4);
    return (struct pyc_name){ .sort = PYC_PLAIN, .stem_length = length - 4 };
}

static int minor_of_magic(unsigned magic)
{
    for (size_t i = 0; i < COUNT(old_magics); i++) {
        if (magic >= old_magics[i].first && magic <= old_magics[i].last)
            return old_magics[i].minor;
    }
    if (magic < MAGIC_OF_11)
        return 0;
    int minor = 11 + (int)(magic - MAGIC_OF_11) / MAGIC_STEP;
    return minor <= NEWEST_MINOR ? minor : 0;
}

static uint32_t number_at(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* A body begins with a code object. From 3.14 on only zeros are known to be none. */
static bool is_body(const struct pyc_facts *facts, int minor)
{
    if (facts->head_size <= PYC_HEADER || facts->head[PYC_HEADER] == 0)
        return false;
    return minor > 13 || (facts->head[PYC_HEADER] & 0x7f) == 'c';
}

static enum pyc_verdict by_hash(const struct pyc_facts *facts, int minor, bool is_checked)
{
    uint64_t key = number_at(facts->head);
    uint64_t told = number_at(facts->head + 8) | (uint64_t)number_at(facts->head + 12) << 32;
    enum siphash_kind usual = minor <= 10 ? SIPHASH_24 : SIPHASH_13;
    uint64_t found;

    if (facts->hash(facts->context, usual, key, &found) && found == told)
        return PYC_FRESH;
    /* A Python may be configured with the other one. */
    if (facts->hash(facts->context, usual == SIPHASH_13 ? SIPHASH_24 : SIPHASH_13, key, &found) &&
        found == told)
        return PYC_FRESH;
    return is_checked ? PYC_MISMATCH : PYC_STALE;
}

static bool is_later(struct timespec left, struct timespec right)
{
    return left.tv_sec != right.tv_sec ? left.tv_sec > right.tv_sec : left.tv_nsec > right.tv_nsec;
}

static enum pyc_verdict by_time(const struct pyc_facts *facts)
{
    if (number_at(facts->head + 8) != facts->source_mtime ||
        number_at(facts->head + 12) != facts->source_size)
        return PYC_MISMATCH;
    int sealed = facts->sealed ? facts->sealed(facts->context) : -1;
    if (sealed >= 0)
        return sealed ? PYC_FRESH : PYC_STALE;
    if (facts->trusts_mtime || is_later(facts->written, facts->source_changed))
        return PYC_FRESH;
    return PYC_UNPROVEN;
}

enum pyc_verdict pyc_verdict(const struct pyc_facts *facts)
{
    int minor = facts->name.minor;

    if (facts->name.sort == PYC_OTHER)
        return PYC_FOREIGN;
    if (!facts->has_source)
        return facts->in_cache ? PYC_ORPHAN : PYC_SOURCELESS;
    if (facts->in_cache && (minor < OLDEST_MINOR || minor > NEWEST_MINOR))
        return PYC_FOREIGN;
    if (facts->head_size < PYC_HEADER)
        return PYC_CORRUPT;
    uint32_t magic = number_at(facts->head);
    int found = magic >> 16 == ('\r' | '\n' << 8) ? minor_of_magic(magic & 0xffff) : 0;
    if (facts->in_cache && found != minor)
        return PYC_MISMATCH;
    if (found == 0)
        return PYC_FOREIGN;
    uint32_t flags = number_at(facts->head + 4);
    if (flags & ~(uint32_t)(FLAG_HASH | FLAG_CHECK))
        return PYC_MISMATCH;
    if (!is_body(facts, found))
        return PYC_CORRUPT;
    if (flags & FLAG_HASH)
        return by_hash(facts, found, flags & FLAG_CHECK);
    return by_time(facts);
}

bool pyc_is_clearable(enum pyc_verdict verdict)
{
    switch (verdict) {
    case PYC_FRESH:
    case PYC_SOURCELESS:
    case PYC_FOREIGN:
        return false;
    case PYC_MISMATCH:
    case PYC_STALE:
    case PYC_UNPROVEN:
    case PYC_CORRUPT:
    case PYC_ORPHAN:
        break;
    }
    return true;
}

const char *pyc_text(enum pyc_verdict verdict)
{
    static const char *const texts[] = {
        [PYC_FRESH] = "fresh",     [PYC_MISMATCH] = "ignored by Python",
        [PYC_STALE] = "stale",     [PYC_UNPROVEN] = "source changed since",
        [PYC_CORRUPT] = "damaged", [PYC_ORPHAN] = "without source",
        [PYC_FOREIGN] = "foreign", [PYC_SOURCELESS] = "sourceless",
    };

    return texts[verdict];
}
