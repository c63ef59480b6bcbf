/* What must hold between keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/exitcode.h"
#include "planned.h"

static struct planned made;

static void broken_rules_are_faults_with_their_place(void **state)
{
    static const struct {
        const char *text;
        const char *fault;
    } rows[] = {
        { "[stage a]\n", "t.ini:1: [stage a] has no action" },
        { "[stage a]\nin = /x\n", "t.ini:1: [stage a] has no action" },
        { "[stage a]\nclear = next\nwait = tcp://a:1\n",
          "t.ini:3: [stage a] has two actions, clear and wait" },
        { "[stage a]\nwait = tcp://a:1\nmode = all\n",
          "t.ini:3: [stage a] mode is no key of wait" },
        { "[stage a]\nwait = tcp://a:1\nin = /x\n", "t.ini:3: [stage a] in is no key of wait" },
        { "[stage a]\nempty = /x\n", "t.ini:2: [stage a] empty has no default" },
        { "[stage a]\nempty =\nwhen = build\n", "t.ini:2: empty names nothing" },
        { "[stage a]\nclear = next\ntargets = x\n",
          "t.ini:3: [stage a] targets needs when = build" },
        { "[stage a]\nclear = next\ntimeout = 0\n", "t.ini:3: [stage a] timeout must be more" },
        { "[stage a]\nrun = x\nonce = release\n",
          "t.ini:3: [stage a] once = release needs a place" },
        { "[stage a]\nrun = x\nonce = change\n", "t.ini:3: [stage a] once = change needs in =" },
        { "[stage a]\nrun = x\nonce_id = 1\n", "t.ini:3: [stage a] once_id needs once = release" },
        { "[stage a]\nrun = x\nonce_at = redis://r\n", "t.ini:3: [stage a] once_at needs once" },
        { "[server]\ncapabilities = chown\n", "t.ini:2: capabilities needs user =" },
        { "[server]\ndrain = 8s\n", "t.ini:2: drain (8000 ms) is part of stop_timeout (8000 ms)" },
        { "[server]\nstop_timeout = 500ms\n", "is part of stop_timeout (500 ms)" },
        { "[freshinit]\nstate_dir = run\n", "t.ini:2: state_dir must begin with /" },
        { "[freshinit]\nstate_dir =\n", "t.ini:2: state_dir must begin with /" },
        { "[freshinit]\nrelease = a b\n", "t.ini:2: release must be 1 to 128 characters" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        planned_make(&made, rows[i].text, WORDS("x"), NO_WORDS);
        assert_true(planned_has_fault(&made.why, rows[i].fault));
        if (made.why.count != 1)
            fail_msg("row %zu also: %s", i, fault_line(&made.why, 1));
        assert_int_equal(made.why.exit_code, EXIT_CONFIG);
    }
}

static void what_holds_is_no_fault(void **state)
{
    static const char *const rows[] = {
        "",
        "[freshinit]\n[env]\n[server]\n",
        "[stage a]\nclear = bytecode\n",
        "[stage a]\nempty = /x\nwhen = build\n",
        "[stage a]\nclear = next\ntargets = x\nwhen = build\n",
        "[stage a]\nflush = redis://r\nall = yes\nonce = release\n",
        "[stage a]\nrun = x\nonce = release\nonce_at = redis://r\nonce_id = 1\n",
        "[freshinit]\nstate_dir = /x\n[stage a]\nrun = x\nonce = release\n",
        "[stage a]\nrun = x\nonce = change\nin = /x\nexclude = y\n",
        "[stage a]\nrun = echo it's\nshell = yes\n",
        "[server]\nuser = 1\ncapabilities = chown\n",
        "[server]\nuser = 1\ncapabilities =\n",
        "[server]\ndrain = 7s\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        planned_make(&made, rows[i], WORDS("x"), NO_WORDS);
        if (made.why.count > 0)
            fail_msg("row %zu: %s", i, fault_line(&made.why, 0));
    }
}

static void a_start_needs_a_command(void **state)
{
    (void)state;
    planned_make(&made, "", NO_WORDS, NO_WORDS);
    assert_true(planned_has_fault(&made.why, "no command: write it after the options"));
    assert_int_equal(made.why.exit_code, EXIT_USAGE);
    planned_make(&made, "[server]\ncommand = ${C:-}\n", NO_WORDS, NO_WORDS);
    assert_true(planned_has_fault(&made.why, "no command"));
    /* "$COMMAND" that is not set. */
    planned_make(&made, "", WORDS(""), NO_WORDS);
    assert_true(planned_has_fault(&made.why, "the command is empty: write it after"));
    planned_make(&made, "", WORDS("check"), NO_WORDS);
    assert_int_equal(made.why.count, 0);
    planned_make(&made, "[server]\ncommand = a b\n", NO_WORDS, NO_WORDS);
    assert_int_equal(made.why.count, 0);
    /* A wrong one is not "no command" as well. */
    planned_make(&made, "[server]\ncommand = ${NOPE}\n", NO_WORDS, NO_WORDS);
    assert_int_equal(made.why.count, 1);
    planned_make(&made, "[server]\ncommand = \"a\n", NO_WORDS, NO_WORDS);
    assert_int_equal(made.why.count, 1);
    assert_int_equal(made.why.exit_code, EXIT_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_rules_are_faults_with_their_place),
        cmocka_unit_test(what_holds_is_no_fault),
        cmocka_unit_test(a_start_needs_a_command),
    };

    return cmocka_run_group_tests(tests, planned_setup, planned_teardown);
}
