/* Which server does a command line start? */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "server/profiles.h"

static void a_server_is_found_by_its_command_line(void **state)
{
    static const struct {
        const char *command;
        enum server_kind wanted;
    } rows[] = { { "gunicorn app:app", SERVER_GUNICORN },
                 { "/venv/bin/gunicorn app:app", SERVER_GUNICORN },
                 { "python -m uvicorn app:app", SERVER_UVICORN },
                 { "/usr/bin/python3.12 -u -m gunicorn app", SERVER_GUNICORN },
                 { "python -X dev -W ignore /venv/bin/hypercorn app", SERVER_HYPERCORN },
                 { "python manage.py runserver", SERVER_GENERIC },
                 { "python -m", SERVER_GENERIC },
                 { "python", SERVER_GENERIC },
                 { "sh -c 'exec gunicorn app:app'", SERVER_GUNICORN },
                 { "sh -c 'exec  /venv/bin/granian app'", SERVER_GRANIAN },
                 { "sh -c 'gunicorn app:app'", SERVER_GENERIC },
                 { "generic", SERVER_GENERIC },
                 { "sleep 1", SERVER_GENERIC },
                 { "", SERVER_GENERIC } };
    struct fault why;

    (void)state;
    fault_clear(&why);
    assert_int_equal(arena_open(&why), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct words words;
        assert_int_equal(words_split(rows[i].command, &words, &why), 0);
        assert_int_equal(profiles_find(SERVER_AUTO, &words)->kind, rows[i].wanted);
    }
}

static void what_was_written_wins(void **state)
{
    struct words none = { 0 };

    (void)state;
    assert_int_equal(profiles_find(SERVER_UVICORN, &none)->kind, SERVER_UVICORN);
    assert_int_equal(profiles_find(SERVER_GENERIC, &none)->kind, SERVER_GENERIC);
}

static void only_known_servers_have_signals_for_their_master(void **state)
{
    struct words none = { 0 };
    const struct profile *gunicorn = profiles_find(SERVER_GUNICORN, &none);
    const struct profile *generic = profiles_find(SERVER_GENERIC, &none);

    (void)state;
    assert_true(profiles_is_for_master(gunicorn, SIGHUP));
    assert_true(profiles_is_for_master(gunicorn, SIGWINCH));
    assert_false(profiles_is_for_master(gunicorn, SIGTERM));
    assert_false(profiles_is_for_master(generic, SIGHUP));
    assert_true(profiles_asks_stop(gunicorn, SIGINT));
    assert_false(profiles_asks_stop(generic, SIGINT));
    assert_true(profiles_asks_stop(generic, SIGTERM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_is_found_by_its_command_line),
        cmocka_unit_test(what_was_written_wins),
        cmocka_unit_test(only_known_servers_have_signals_for_their_master),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
