/* The command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>

#include "base/exitcode.h"
#include "plan/argv.h"
#include "plan/options.h"
#include "planned.h"

static struct call call;
static struct fault why;

/* argv[0] comes first. */
static int read_words(char **argv)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    fault_clear(&why);
    return argv_read(argc, argv, &call, &why);
}

static void the_command_begins_where_options_end(void **state)
{
    static const struct {
        const char *line; /* words between spaces */
        const char *subcommand;
        size_t count;
        const char *first;
    } rows[] = {
        { "freshinit", NULL, 0, NULL },
        { "freshinit gunicorn -w 4 --config x", NULL, 5, "gunicorn" },
        { "freshinit -- clean", NULL, 1, "clean" },
        { "freshinit -v -- -v", NULL, 1, "-v" },
        { "freshinit -- -- x", NULL, 2, "--" },
        { "freshinit - x", NULL, 2, "-" },
        { "freshinit serve", NULL, 1, "serve" },
        { "freshinit clean", "clean", 0, NULL },
        { "freshinit -v clean a b", "clean", 2, "a" },
        { "freshinit clean a --dry-run b", "clean", 2, "a" },
        { "freshinit clean -- --dry-run", "clean", 1, "--dry-run" },
        { "freshinit --config x check", "check", 0, NULL },
        { "freshinit check --config x", "check", 0, NULL },
        { "tini clean x", NULL, 2, "clean" },
        { "/sbin/docker-init -- /x", NULL, 1, "/x" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char line[128];
        char *argv[16] = { 0 };
        int argc = 0;
        snprintf(line, sizeof line, "%s", rows[i].line);
        for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
            argv[argc++] = word;
        assert_int_equal(read_words(argv), 0);
        if (rows[i].subcommand)
            assert_string_equal(call.subcommand, rows[i].subcommand);
        else
            assert_null(call.subcommand);
        assert_int_equal(call.word_count, rows[i].count);
        if (rows[i].first)
            assert_string_equal(call.words[0], rows[i].first);
        assert_null(call.words[call.word_count]);
    }
}

static void letters_are_those_of_tini(void **state)
{
    (void)state;
    assert_int_equal(read_words(WORDS("freshinit", "-sgvvw", "-pTERM", "-e143", "-e", "2", "-gp",
                                      "9", "x")),
                     0);
    assert_true(call.init.subreaper && call.init.group && call.init.warn_zombies);
    assert_int_equal(call.verbosity, 2);
    assert_int_equal(call.init.parent_signal, 9);
    assert_true(call.init.success_codes[143] && call.init.success_codes[2]);
    assert_false(call.init.success_codes[0] || call.init.success_codes[3]);
    assert_string_equal(call.words[0], "x");
    assert_int_equal(read_words(WORDS("/x/tini", "-vg", "--", "x")), 0);
    assert_true(call.init.is_tini && call.init.group);
    assert_int_equal(call.verbosity, 2);
    assert_int_equal(read_words(WORDS("tini", "--version")), 0);
    assert_true(call.wants_version);
}

static void signals_are_rewritten(void **state)
{
    (void)state;
    assert_int_equal(read_words(WORDS("freshinit", "--rewrite", "INT:TERM", "--rewrite=15:3",
                                      "--rewrite=USR1:0", "--single-child", "x")),
                     0);
    assert_int_equal(call.init.rewrite[SIGINT], SIGTERM);
    assert_int_equal(call.init.rewrite[15], 3);
    assert_int_equal(call.init.rewrite[SIGUSR1], 0);
    assert_true(call.init.is_rewritten[SIGINT] && call.init.is_rewritten[SIGUSR1]);
    assert_false(call.init.is_rewritten[SIGUSR2]);
    assert_true(call.init.single_child);
}

static void options_that_are_keys_are_kept_in_order(void **state)
{
    (void)state;
    assert_int_equal(read_words(WORDS("freshinit", "--user=app", "--set", "server.umask=027",
                                      "--stop-timeout", "3s", "--log", "json", "x")),
                     0);
    assert_int_equal(call.set_count, 4);
    assert_string_equal(call.sets[0].option, "user");
    assert_string_equal(call.sets[0].key, "server.user");
    assert_string_equal(call.sets[0].value, "app");
    assert_memory_equal(call.sets[1].key, "server.umask=", 13);
    assert_string_equal(call.sets[1].value, "027");
    assert_string_equal(call.sets[2].key, "server.stop_timeout");
    assert_string_equal(call.sets[3].key, "freshinit.log");
}

static void mistakes_are_of_usage_and_named(void **state)
{
    static const struct {
        const char *words[4];
        const char *fault;
        int code;
    } rows[] = {
        { { "freshinit", "--hlep" }, "unknown option --hlep, did you mean --help?", EXIT_USAGE },
        { { "freshinit", "--confg=x" },
          "unknown option --confg, did you mean --config?",
          EXIT_USAGE },
        { { "freshinit", "-x" }, "unknown option -x", EXIT_USAGE },
        { { "freshinit", "-l" }, "unknown option -l", EXIT_USAGE },
        { { "freshinit", "-gx" }, "unknown option -x", EXIT_USAGE },
        { { "freshinit", "--config" }, "--config needs FILE", EXIT_USAGE },
        { { "freshinit", "-p" }, "-p needs SIG", EXIT_USAGE },
        { { "freshinit", "-p", "NONE" }, "-p NONE: there is no such signal", EXIT_USAGE },
        { { "freshinit", "-e", "256" }, "-e \"256\" is no number from 0 to 255", EXIT_USAGE },
        { { "freshinit", "--no-stages=1" }, "--no-stages takes no value", EXIT_USAGE },
        { { "freshinit", "--set", "x=1" }, "write --set SECTION.KEY=VALUE", EXIT_USAGE },
        { { "freshinit", "--set", "a.b" }, "write --set SECTION.KEY=VALUE", EXIT_USAGE },
        { { "freshinit", "--rewrite", "INT" }, "write --rewrite INT:TERM", EXIT_USAGE },
        { { "freshinit", "--rewrite", "0:INT" }, "write --rewrite INT:TERM", EXIT_USAGE },
        { { "freshinit", "--rewrite", "INT:NO" }, "write --rewrite INT:TERM", EXIT_USAGE },
        { { "freshinit", "check", "x" }, "check takes no words", EXIT_USAGE },
        { { "freshinit", "-g", "check" }, "-g is no option of check", EXIT_USAGE },
        { { "freshinit", "--dry-run", "x" }, "--dry-run is no option of a start", EXIT_USAGE },
        { { "tini", "--config=x" }, "unknown option --config", 1 },
        { { "tini", "-z" }, "unknown option -z", 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *argv[5] = { 0 };
        for (size_t j = 0; j < 4; j++)
            argv[j] = (char *)(uintptr_t)rows[i].words[j];
        assert_int_equal(read_words(argv), -1);
        assert_true(planned_has_fault(&why, rows[i].fault));
        assert_int_equal(why.exit_code, rows[i].code);
    }
}

static void too_many_are_refused(void **state)
{
    static char name[] = "freshinit";
    static char user[] = "--user=x";
    static char clean[] = "clean";
    char *argv[2 * SETS_MAX + 4] = { 0 };
    size_t count = 0;

    (void)state;
    argv[count++] = name;
    while (count < 1 + SETS_MAX)
        argv[count++] = user;
    assert_int_equal(read_words(argv), 0);
    argv[count++] = user;
    assert_int_equal(read_words(argv), -1);
    argv[1] = clean;
    for (size_t i = 2; i < WORDS_MAX + 2; i++)
        argv[i] = name;
    assert_int_equal(read_words(argv), 0);
    argv[WORDS_MAX + 2] = name;
    assert_int_equal(read_words(argv), -1);
}

static void every_option_fits_somewhere(void **state)
{
    const struct option *option;

    (void)state;
    for (size_t i = 0; (option = options_at(i)); i++) {
        assert_true(option->letter != 0 || option->name);
        assert_int_not_equal(option->where, 0);
        assert_true(strlen(option->help) < 72);
    }
    assert_null(options_at(1000));
    assert_non_null(options_subcommand("clean"));
    assert_null(options_subcommand("clea"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_begins_where_options_end),
        cmocka_unit_test(letters_are_those_of_tini),
        cmocka_unit_test(signals_are_rewritten),
        cmocka_unit_test(options_that_are_keys_are_kept_in_order),
        cmocka_unit_test(mistakes_are_of_usage_and_named),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(every_option_fits_somewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
