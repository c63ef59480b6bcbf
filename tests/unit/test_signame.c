/* Signal names and numbers. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/signame.h"

static void names_become_numbers(void **state)
{
    const struct {
        const char *text;
        int wanted;
    } rows[] = { { "TERM", SIGTERM },
                 { "SIGTERM", SIGTERM },
                 { "sigterm", SIGTERM },
                 { "15", 15 },
                 { "64", 64 },
                 { "65", 0 },
                 { "0", 0 },
                 { "RTMIN", SIGNAME_FIRST_REALTIME },
                 { "RTMIN+3", SIGNAME_FIRST_REALTIME + 3 },
                 { "RTMAX-1", SIGNAME_LAST - 1 },
                 { "RTMAX+1", 0 },
                 { "RTMIN+99", 0 },
                 { "SIGRTMIN+1", SIGNAME_FIRST_REALTIME + 1 },
                 { "", 0 },
                 { "TERMX", 0 },
                 { "SIG", 0 },
                 { "-1", 0 } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(signame_number(rows[i].text), rows[i].wanted);
}

static void every_signal_has_a_name_that_leads_back(void **state)
{
    char name[16];

    (void)state;
    for (int number = 1; number <= SIGNAME_LAST; number++)
        assert_int_equal(signame_number(signame_text(number, name, sizeof name)), number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_numbers),
        cmocka_unit_test(every_signal_has_a_name_that_leads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
