/* SipHash held against what CPython itself says of the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "stage/siphash.h"

enum { KEY = 0x0a0d0d70 };

/* _imp.source_hash(KEY, bytes(i % 251 for i in range(length))) of 3.10 and of 3.13. */
static const struct {
    size_t length;
    uint64_t of_24;
    uint64_t of_13;
} rows[] = {
    { 0, 0x02056a5c0db0234a, 0xb134accc1055d0b9 },
    { 1, 0x44f1ebf9f730be35, 0x941cff91d9222067 },
    { 7, 0x4bb0a59697d39a22, 0xc9355ca5380489bd },
    { 8, 0xb7fb1ed9739e80f2, 0xf704408a21fe10b6 },
    { 9, 0xc6082b3f15754e6a, 0x9b4c299a1fe295df },
    { 15, 0x0f20c3f023aa190e, 0xa3711338c0f9e777 },
    { 16, 0x9fe9da966394e375, 0x13ff89fe379cf270 },
    { 63, 0x40fbb159263c9dff, 0x6e45df5fbf34dc57 },
    { 64, 0x1533de871158a2d6, 0x77d18c6a1527b423 },
    { 1000, 0xd1c28d54a81e7ad9, 0xa6f065e0ef6e17fe },
};

static uint64_t hash_of(enum siphash_kind kind, size_t length, size_t step)
{
    unsigned char bytes[1000];
    struct siphash hash;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i % 251);
    siphash_start(&hash, kind, KEY);
    for (size_t at = 0; at < length; at += step)
        siphash_feed(&hash, bytes + at, length - at < step ? length - at : step);
    return siphash_end(&hash);
}

static void both_kinds_agree_with_cpython(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(hash_of(SIPHASH_24, rows[i].length, 1000), rows[i].of_24);
        assert_int_equal(hash_of(SIPHASH_13, rows[i].length, 1000), rows[i].of_13);
    }
}

static void pieces_make_no_difference(void **state)
{
    (void)state;
    for (size_t step = 1; step < 20; step++)
        for (size_t i = 0; i < COUNT(rows); i++)
            assert_int_equal(hash_of(SIPHASH_13, rows[i].length, step), rows[i].of_13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_kinds_agree_with_cpython),
        cmocka_unit_test(pieces_make_no_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
