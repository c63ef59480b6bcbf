/* What is taken is clean and stays; what is sealed can't be changed, but by a child for itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "forked.h"

static struct fault why;
static char *taken;

static int open_arena(void **state)
{
    (void)state;
    fault_clear(&why);
    return arena_open(&why);
}

static void what_is_taken_is_clean_aligned_and_apart(void **state)
{
    static const size_t sizes[] = { 1, 15, 16, 17, 4096, 100000 };
    static const char zeros[100000];
    char *before = arena_text("plan", 3);

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *next = arena_take(sizes[i]);
        assert_int_equal((uintptr_t)next % 16, 0);
        assert_memory_equal(next, zeros, sizes[i]);
        memset(next, 'x', sizes[i]);
    }
    assert_string_equal(before, "pla");
}

static int write_it(void)
{
    /* A crash is what is wanted: nobody needs to read of it. */
    close(STDERR_FILENO);
    *taken = 'y';
    return *taken == 'y' ? 0 : 1;
}

static int reopen_and_write_it(void)
{
    return arena_reopen(&why) < 0 ? 2 : write_it();
}

static int take_too_much(void)
{
    close(STDERR_FILENO);
    return arena_take(ARENA_SIZE + 1) ? 0 : 1;
}

static void a_sealed_plan_is_written_by_nobody(void **state)
{
    (void)state;
    taken = arena_text("x", 1);
    assert_int_equal(forked(write_it), 0);
    assert_int_equal(arena_seal(&why), 0);
    assert_int_not_equal(forked(write_it), 0);
    assert_int_equal(forked(reopen_and_write_it), 0);
    assert_string_equal(taken, "x");
}

static void more_than_there_is_is_the_end(void **state)
{
    (void)state;
    assert_int_not_equal(forked(take_too_much), 0);
}

static void pages_are_shared_only_where_wanted(void **state)
{
    (void)state;
    for (int is_shared = 0; is_shared < 2; is_shared++) {
        taken = arena_pages(5000, is_shared);
        assert_non_null(taken);
        assert_int_equal(taken[4999], 0);
        assert_int_equal(arena_seal(&why), 0);
        assert_int_equal(forked(write_it), 0);
        assert_int_equal(*taken, is_shared ? 'y' : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_taken_is_clean_aligned_and_apart, open_arena),
        cmocka_unit_test_setup(a_sealed_plan_is_written_by_nobody, open_arena),
        cmocka_unit_test_setup(more_than_there_is_is_the_end, open_arena),
        cmocka_unit_test_setup(pages_are_shared_only_where_wanted, open_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
