/* Names of bytecode, and every verdict over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "stage/pyc.h"

static void names_tell_what_they_can(void **state)
{
    static const struct {
        const char *name;
        bool in_cache;
        enum pyc_sort sort;
        size_t stem;
        int minor;
    } rows[] = {
        { "a.cpython-311.pyc", true, PYC_CACHED, 1, 11 },
        { "a.cpython-38.opt-1.pyc", true, PYC_CACHED, 1, 8 },
        { "a.b.cpython-314.opt-2.pyc", true, PYC_CACHED, 3, 14 },
        { "a.cpython-311-pytest-7.4.0.pyc", true, PYC_CACHED, 1, 11 },
        { "a.cpython-311-x.opt-1.pyc", true, PYC_CACHED, 1, 11 },
        { "a.cpython-399.pyc", true, PYC_CACHED, 1, 99 },
        { "a.cpython-311x.pyc", true, PYC_OTHER, 1, 0 },
        { "a.cpython-27.pyc", true, PYC_OTHER, 1, 0 },
        { "a.pypy39.pyc", true, PYC_OTHER, 1, 0 },
        { "a.pyc", true, PYC_OTHER, 0, 0 },
        { "a.opt-1.pyc", true, PYC_OTHER, 0, 0 },
        { "a.pyc", false, PYC_PLAIN, 1, 0 },
        { "a.cpython-311.pyc", false, PYC_PLAIN, 13, 0 },
        { "a.pyo", true, PYC_OLD, 0, 0 },
        { "a.pyo", false, PYC_OLD, 0, 0 },
        { "a.cpython-311.pyc.140213", true, PYC_LEFTOVER, 0, 0 },
        { "a.pyc.1", false, PYC_LEFTOVER, 0, 0 },
        { "a.pyc.", false, PYC_NONE, 0, 0 },
        { "a.pyc.1a", false, PYC_NONE, 0, 0 },
        { "pyc.1", false, PYC_NONE, 0, 0 },
        { ".pyc", false, PYC_NONE, 0, 0 },
        { "a.py", false, PYC_NONE, 0, 0 },
        { "a.pycx", true, PYC_NONE, 0, 0 },
        { "12345", false, PYC_NONE, 0, 0 },
        { "", false, PYC_NONE, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pyc_name name = pyc_name(rows[i].name, strlen(rows[i].name), rows[i].in_cache);
        if (name.sort != rows[i].sort || name.minor != rows[i].minor ||
            (rows[i].stem > 0 && name.stem_length != rows[i].stem))
            fail_msg("%s: sort %d, stem %zu, minor %d", rows[i].name, (int)name.sort,
                     name.stem_length, name.minor);
    }
}

/* The source hashes to 7 with SipHash-1-3 and to 8 with SipHash-2-4. */
static bool told_hash(void *context, enum siphash_kind kind, uint64_t key, uint64_t *out)
{
    (void)key;
    *out = kind == SIPHASH_13 ? 7 : 8;
    return context == NULL;
}

enum { GOOD = 0xe3 };

/* A file and its source, fresh but for what a row changes. */
struct row {
    int minor;
    unsigned magic;
    uint32_t flags;
    uint32_t first;
    uint32_t second;
    unsigned body;
    enum pyc_verdict wanted;
};

static struct pyc_facts facts_of(const struct row *row, unsigned char *head)
{
    const uint32_t words[] = { row->magic | 0x0a0d0000, row->flags, row->first, row->second };

    for (size_t i = 0; i < 16; i++)
        head[i] = (unsigned char)(words[i / 4] >> i % 4 * 8);
    memset(head + 16, 0, 16);
    head[16] = (unsigned char)row->body;
    return (struct pyc_facts){
        .name = { .sort = row->minor > 0 ? PYC_CACHED : PYC_PLAIN,
                  .stem_length = 1,
                  .minor = row->minor },
        .in_cache = row->minor > 0,
        .head = head,
        .head_size = PYC_HEAD,
        .has_source = true,
        .source_mtime = 1000,
        .source_size = 50,
        .source_changed = { .tv_sec = 2000, .tv_nsec = 5 },
        .written = { .tv_sec = 2000, .tv_nsec = 6 },
        .hash = told_hash,
    };
}

static void headers_lead_to_verdicts(void **state)
{
    static const struct row rows[] = {
        { 11, 3495, 0, 1000, 50, GOOD, PYC_FRESH },
        { 11, 3495, 0, 1001, 50, GOOD, PYC_MISMATCH },
        { 11, 3495, 0, 1000, 51, GOOD, PYC_MISMATCH },
        { 11, 3495, 2, 1000, 50, GOOD, PYC_FRESH },
        { 11, 3495, 4, 1000, 50, GOOD, PYC_MISMATCH },
        { 11, 3495, 0, 1000, 50, 0, PYC_CORRUPT },
        { 11, 3495, 0, 1000, 50, 0x63, PYC_FRESH },
        { 11, 3495, 0, 1000, 50, 0x28, PYC_CORRUPT },
        { 14, 3627, 0, 1000, 50, 0x28, PYC_FRESH },
        { 14, 3627, 0, 1000, 50, 0, PYC_CORRUPT },
        /* The range of the minor, not one number of it; and no other. */
        { 7, 3394, 0, 1000, 50, GOOD, PYC_FRESH },
        { 8, 3413, 0, 1000, 50, GOOD, PYC_FRESH },
        { 9, 3425, 0, 1000, 50, GOOD, PYC_FRESH },
        { 10, 3439, 0, 1000, 50, GOOD, PYC_FRESH },
        { 12, 3500, 0, 1000, 50, GOOD, PYC_FRESH },
        { 12, 3549, 0, 1000, 50, GOOD, PYC_FRESH },
        { 12, 3550, 0, 1000, 50, GOOD, PYC_MISMATCH },
        { 15, 3650, 0, 1000, 50, GOOD, PYC_FRESH },
        { 11, 3425, 0, 1000, 50, GOOD, PYC_MISMATCH },
        { 11, 64, 0, 1000, 50, GOOD, PYC_MISMATCH },
        { 6, 3379, 0, 1000, 50, GOOD, PYC_FOREIGN },
        { 99, 3495, 0, 1000, 50, GOOD, PYC_FOREIGN },
        /* A plain x.pyc has no tag: an unknown number is somebody else's. */
        { 0, 3495, 0, 1000, 50, GOOD, PYC_FRESH },
        { 0, 64, 0, 1000, 50, GOOD, PYC_FOREIGN },
        { 0, 62211, 0, 1000, 50, GOOD, PYC_FOREIGN },
        /* Hashes, and the kind that a minor usually has, or may be configured with. */
        { 11, 3495, 1, 7, 0, GOOD, PYC_FRESH },
        { 11, 3495, 3, 7, 0, GOOD, PYC_FRESH },
        { 11, 3495, 3, 8, 0, GOOD, PYC_FRESH },
        { 10, 3439, 1, 8, 0, GOOD, PYC_FRESH },
        { 11, 3495, 1, 9, 0, GOOD, PYC_STALE },
        { 11, 3495, 3, 9, 0, GOOD, PYC_MISMATCH },
        { 11, 3495, 1, 7, 1, GOOD, PYC_STALE },
    };
    unsigned char head[PYC_HEAD];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pyc_facts facts = facts_of(&rows[i], head);
        enum pyc_verdict verdict = pyc_verdict(&facts);
        if (verdict != rows[i].wanted)
            fail_msg("row %zu: %s", i, pyc_text(verdict));
    }
}

static const struct row fresh = { 11, 3495, 0, 1000, 50, GOOD, PYC_FRESH };
static const struct row hashed = { 11, 3495, 1, 7, 0, GOOD, PYC_FRESH };

static void only_what_was_written_later_is_shown_to_be_fresh(void **state)
{
    static const struct {
        struct timespec written;
        bool trusts_mtime;
        enum pyc_verdict wanted;
    } rows[] = {
        { { 2000, 6 }, false, PYC_FRESH },    { { 2000, 5 }, false, PYC_UNPROVEN },
        { { 2000, 4 }, false, PYC_UNPROVEN }, { { 1999, 9 }, false, PYC_UNPROVEN },
        { { 2001, 0 }, false, PYC_FRESH },    { { 1999, 9 }, true, PYC_FRESH },
        { { 0, 0 }, true, PYC_FRESH },
    };
    unsigned char head[PYC_HEAD];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pyc_facts facts = facts_of(&fresh, head);
        facts.written = rows[i].written;
        facts.trusts_mtime = rows[i].trusts_mtime;
        assert_int_equal(pyc_verdict(&facts), rows[i].wanted);
    }
    /* A hash needs no time. */
    struct pyc_facts facts = facts_of(&hashed, head);
    facts.written = (struct timespec){ 0 };
    assert_int_equal(pyc_verdict(&facts), PYC_FRESH);
}

static void short_files_are_damaged(void **state)
{
    unsigned char head[PYC_HEAD];

    (void)state;
    for (size_t size = 0; size <= PYC_HEADER; size++) {
        struct pyc_facts facts = facts_of(&fresh, head);
        facts.head_size = size;
        assert_int_equal(pyc_verdict(&facts), PYC_CORRUPT);
    }
}

static void without_source_the_place_decides(void **state)
{
    static const struct row plain = { 0, 3495, 0, 1000, 50, GOOD, PYC_SOURCELESS };
    unsigned char head[PYC_HEAD];

    (void)state;
    struct pyc_facts facts = facts_of(&fresh, head);
    facts.has_source = false;
    assert_int_equal(pyc_verdict(&facts), PYC_ORPHAN);
    facts = facts_of(&plain, head);
    facts.has_source = false;
    assert_int_equal(pyc_verdict(&facts), PYC_SOURCELESS);
    facts.name.sort = PYC_OTHER;
    assert_int_equal(pyc_verdict(&facts), PYC_FOREIGN);
}

static void a_source_that_cannot_be_hashed_proves_nothing(void **state)
{
    unsigned char head[PYC_HEAD];
    struct pyc_facts facts = facts_of(&hashed, head);

    (void)state;
    facts.context = head;
    assert_int_equal(pyc_verdict(&facts), PYC_STALE);
}

static void what_may_be_the_only_copy_is_never_clearable(void **state)
{
    (void)state;
    assert_false(pyc_is_clearable(PYC_FRESH));
    assert_false(pyc_is_clearable(PYC_SOURCELESS));
    assert_false(pyc_is_clearable(PYC_FOREIGN));
    assert_true(pyc_is_clearable(PYC_MISMATCH));
    assert_true(pyc_is_clearable(PYC_STALE));
    assert_true(pyc_is_clearable(PYC_UNPROVEN));
    assert_true(pyc_is_clearable(PYC_CORRUPT));
    assert_true(pyc_is_clearable(PYC_ORPHAN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_tell_what_they_can),
        cmocka_unit_test(headers_lead_to_verdicts),
        cmocka_unit_test(only_what_was_written_later_is_shown_to_be_fresh),
        cmocka_unit_test(short_files_are_damaged),
        cmocka_unit_test(without_source_the_place_decides),
        cmocka_unit_test(a_source_that_cannot_be_hashed_proves_nothing),
        cmocka_unit_test(what_may_be_the_only_copy_is_never_clearable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
