/* The sources in their order, and the values they make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>

#include "plan/builtin.h"
#include "planned.h"

static struct planned made;

static void all_faults_are_told_in_one_go(void **state)
{
    static const char *const faults[] = {
        "t.ini:1: x stands before the first section",
        "t.ini:3: unknown key \"logg\" in [freshinit], did you mean \"log\"?",
        "t.ini:4: unknown section [sever], did you mean \"server\"?",
        "t.ini:6: unknown section [stages a], did you mean \"stage\"?",
        "t.ini:7: \"\" is no name of a stage",
        "t.ini:8: \"a b\" is no name of a stage",
        "t.ini:11: [stage s] is there already, on line 9",
        "t.ini:14: duplicate key \"umask\" in [server], first on line 13",
        "t.ini:15: [server] is there already, on line 12",
        "t.ini:18: duplicate A in [env], first on line 17",
        "t.ini:19: \"A-B\" is no name of a variable",
        "t.ini:13: umask \"8\" is no mode",
        "--set server.umsk: unknown key \"umsk\" in [server], did you mean \"umask\"?",
        "--set sever.x: unknown section \"sever\", did you mean \"server\"?",
        "--set stage.t.x: there is no [stage t]",
    };

    (void)state;
    planned_make(&made,
                 "x = 1\n"
                 "[freshinit]\nlogg = 1\n"
                 "[sever]\ny = 1\n"
                 "[stages a]\n"
                 "[stage]\n"
                 "[stage a b]\n"
                 "[stage s]\nclear = next\n[stage s]\n"
                 "[server]\numask = 8\numask = 1\n[server]\n"
                 "[env]\nA = 1\nA = 2\nA-B = 1\n",
                 WORDS("--set", "server.umsk=secret", "--set", "sever.x=secret", "--set",
                       "stage.t.x=1", "x"),
                 NO_WORDS);
    for (size_t i = 0; i < COUNT(faults); i++)
        assert_true(planned_has_fault(&made.why, faults[i]));
    for (size_t i = 0; fault_line(&made.why, i); i++)
        assert_null(strstr(fault_line(&made.why, i), "secret"));
    assert_int_equal(made.why.count, COUNT(faults));
}

static void the_last_source_wins(void **state)
{
    static const struct {
        const char *text;
        const char *variable;
        const char *option;
        int umask;
        enum source_kind kind;
    } rows[] = {
        { "", "X=", "-v", 0, SOURCE_DEFAULT },
        { "[server]\numask = 1\n", "X=", "-v", 1, SOURCE_FILE },
        { "[server]\numask = 1\n", "FRESHINIT_SERVER_UMASK=2", "-v", 2, SOURCE_ENV },
        { "[server]\numask = 1\n", "FRESHINIT_SERVER_UMASK=2", "--set=server.umask=3", 3,
          SOURCE_ARGV },
        /* What lost is not looked at. */
        { "[server]\numask = no\n", "FRESHINIT_SERVER_UMASK=${NOPE}", "--set=server.umask=3", 3,
          SOURCE_ARGV },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        planned_make(&made, rows[i].text, WORDS((char *)(uintptr_t)rows[i].option, (char[]){ "x" }),
                     WORDS((char *)(uintptr_t)rows[i].variable));
        assert_int_equal(made.why.count, 0);
        assert_int_equal(made.plan->server.umask, rows[i].umask);
        assert_int_equal(made.plan->server.has_umask, rows[i].kind != SOURCE_DEFAULT);
    }
}

static void defaults_are_those_of_the_contract(void **state)
{
    const struct server_plan *server;

    (void)state;
    planned_make(&made, "", WORDS("gunicorn", "app"), NO_WORDS);
    server = &made.plan->server;
    assert_int_equal(made.plan->log, LOG_FORMAT_HUMAN);
    assert_int_equal(made.plan->log_level, LOG_INFO);
    assert_string_equal(made.plan->state_dir, "/run/freshinit");
    assert_true(made.plan->advice && made.plan->has_stages);
    assert_false(made.plan->secrets);
    assert_int_equal(server->kind, SERVER_AUTO);
    assert_null(server->user.text);
    assert_false(server->has_capabilities || server->has_umask || server->no_new_privs);
    assert_int_equal(server->stop_timeout_ms, 8000);
    assert_int_equal(server->stop_signal, 0);
    assert_true(server->success_codes[0]);
    assert_false(server->success_codes[143]);
    assert_string_equal(server->command.items[1], "app");
    assert_null(server->command.items[2]);
    planned_make(&made, "", WORDS("x"), WORDS("KUBERNETES_SERVICE_HOST=10.0.0.1"));
    assert_int_equal(made.plan->server.stop_timeout_ms, 25000);
}

static void stages_have_the_defaults_of_their_action(void **state)
{
    const struct stage_plan *stage;

    (void)state;
    planned_make(
        &made,
        "[stage b]\nclear = bytecode\n[stage n]\nclear = next\nexclude =\n"
        "[stage t]\ntouch = *.html\nin = /a \"/b c\"\n[stage w]\nwait = tcp://a:1 tcp://b:1\n"
        "[stage r]\nrun = a 'b c' \"d\"\n[stage s]\nrun = a 'b\nshell = yes\n",
        WORDS("x"), NO_WORDS);
    assert_int_equal(made.why.count, 0);
    stage = planned_stage(&made, "b");
    assert_int_equal(stage->action, ACTION_CLEAR);
    assert_string_equal(stage->in.items[0], ".");
    assert_int_equal(stage->exclude.count, 4);
    assert_false(stage->has_exclude);
    assert_int_equal(stage->when, WHEN_START | WHEN_RELOAD);
    assert_int_equal(stage->timeout_ms, 30000);
    assert_int_equal(stage->mode, BYTECODE_STALE);
    stage = planned_stage(&made, "n");
    assert_int_equal(stage->exclude.count, 0);
    assert_true(stage->has_exclude);
    stage = planned_stage(&made, "t");
    assert_int_equal(stage->in.count, 2);
    assert_string_equal(stage->in.items[1], "/b c");
    assert_int_equal(stage->exclude.count, 4);
    stage = planned_stage(&made, "w");
    assert_int_equal(stage->in.count, 0);
    assert_int_equal(stage->subjects.count, 2);
    stage = planned_stage(&made, "r");
    assert_int_equal(stage->subjects.count, 3);
    assert_string_equal(stage->subjects.items[1], "b c");
    assert_int_equal(stage->in.count, 0);
    stage = planned_stage(&made, "s");
    assert_string_equal(stage->subject, "a 'b");
    assert_int_equal(stage->subjects.count, 0);
}

static void values_are_converted(void **state)
{
    const struct server_plan *server;

    (void)state;
    planned_make(&made,
                 "[freshinit]\nlog_level = warn\nadvice = no\n"
                 "[server]\nkind = uvicorn\nuser = 12:34\ndrain = 1500ms\nstop_signal = QUIT\n"
                 "stop_timeout = 1m\nsuccess = 0 143\nworkdir = /app\ncapabilities = chown kill\n"
                 "[stage w]\nwait = http://a\nstatus = 204\nbody = ok\nwhen = build stop ready\n",
                 WORDS("-v", "x"), NO_WORDS);
    assert_int_equal(made.why.count, 0);
    server = &made.plan->server;
    assert_int_equal(made.plan->log_level, LOG_INFO);
    assert_false(made.plan->advice);
    assert_int_equal(server->kind, SERVER_UVICORN);
    assert_int_equal(server->user.uid, 12);
    assert_int_equal(server->user.gid, 34);
    assert_true(server->no_new_privs);
    assert_int_equal(server->drain_ms, 1500);
    assert_int_equal(server->stop_signal, SIGQUIT);
    assert_int_equal(server->stop_timeout_ms, 60000);
    assert_true(server->success_codes[143]);
    assert_string_equal(server->workdir, "/app");
    assert_int_equal(server->capabilities.count, 2);
    assert_int_equal(planned_stage(&made, "w")->status, 204);
    assert_int_equal(planned_stage(&made, "w")->when, WHEN_BUILD | WHEN_STOP | WHEN_READY);
}

static void bad_values_say_what_would_be_right(void **state)
{
    static const struct {
        const char *text;
        const char *fault;
    } rows[] = {
        { "[freshinit]\nlog = Json\n",
          "log \"Json\" is none of: human json, did you mean \"json\"?" },
        { "[freshinit]\nadvice = maybe\n", "advice \"maybe\" is neither yes nor no" },
        { "[server]\nkind = guincorn\n", "did you mean \"gunicorn\"?" },
        { "[server]\nuser =\n", "user \"\" is not user or user:group" },
        { "[server]\nsuccess = 0 256\n", "success \"256\" is no number from 0 to 255" },
        { "[server]\nstop_signal = STERM\n", "stop_signal \"STERM\" is no signal" },
        { "[server]\nstop_timeout = never\n", "stop_timeout \"never\" is no time" },
        { "[stage a]\nclear = next\nwhen = start sometimes\n", "when \"sometimes\" is none of" },
        { "[stage a]\nclear = next\nwhen =\n", "when is empty" },
        { "[stage a]\nwait = http://a\nstatus = 99\n", "status \"99\" is no number from 100" },
        { "[stage a]\nrun = 'x\n", "run has a quote that is not closed" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        planned_make(&made, rows[i].text, WORDS("x"), NO_WORDS);
        assert_true(planned_has_fault(&made.why, rows[i].fault));
        assert_int_equal(made.why.count, 1);
    }
}

static void without_a_file_caches_are_cleared(void **state)
{
    static const struct {
        const char *folder;
        bool is_system;
    } rows[] = { { "/", true },       { "/usr", true },     { "/usr/src/app", false },
                 { "/etc", true },    { "/etc/x", true },   { "/lib64", true },
                 { "/libs", true },   { "/lib/x", false },  { "/app", false },
                 { "/proc/1", true }, { "/process", false } };

    (void)state;
    planned_make(&made, NULL, WORDS("x"), NO_WORDS);
    assert_int_equal(made.why.count, 0);
    assert_null(made.plan->config);
    assert_int_equal(made.plan->stage_count, 2);
    assert_string_equal(planned_stage(&made, "bytecode")->in.items[0], ".");
    assert_string_equal(planned_stage(&made, "jinja")->in.items[1], "/tmp");
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(builtin_is_system(rows[i].folder), rows[i].is_system);
    /* The names of the built-in stages are names like any. */
    planned_make(&made, NULL, WORDS("--set", "stage.bytecode.mode=all", "x"), NO_WORDS);
    assert_int_equal(planned_stage(&made, "bytecode")->mode, BYTECODE_ALL);
}

static void a_named_file_must_be_there(void **state)
{
    (void)state;
    planned_make(&made, NULL, WORDS("--config", "none.ini", "x"), NO_WORDS);
    assert_null(made.plan);
    assert_true(planned_has_fault(&made.why, "none.ini: No such file"));
    planned_make(&made, NULL, WORDS("x"), WORDS("FRESHINIT_CONFIG=none2.ini"));
    assert_true(planned_has_fault(&made.why, "none2.ini: No such file"));
    planned_write("t.ini", "[server]\numask = 5\n", 19);
    planned_make(&made, NULL, WORDS("x"), WORDS("FRESHINIT_CONFIG=t.ini"));
    assert_int_equal(made.plan->server.umask, 5);
    assert_string_equal(made.plan->config, "t.ini");
}

static void limits_are_faults(void **state)
{
    static char text[16 * 1024];
    size_t used = 0;

    (void)state;
    for (int i = 0; i < STAGES_MAX + 1; i++)
        used += (size_t)sprintf(text + used, "[stage s%d]\nclear = next\n", i);
    planned_make(&made, text, WORDS("x"), NO_WORDS);
    assert_true(planned_has_fault(&made.why, "[stage s64]: there are at most 64 stages"));
    assert_int_equal(made.why.count, 1);
    used = (size_t)sprintf(text, "[env]\n");
    for (int i = 0; i < ENV_MAX + 1; i++)
        used += (size_t)sprintf(text + used, "E%d = 1\n", i);
    planned_make(&made, text, WORDS("x"), NO_WORDS);
    assert_true(planned_has_fault(&made.why, "t.ini:130: [env] has at most 128 variables"));
    assert_int_equal(made.why.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_faults_are_told_in_one_go),
        cmocka_unit_test(the_last_source_wins),
        cmocka_unit_test(defaults_are_those_of_the_contract),
        cmocka_unit_test(stages_have_the_defaults_of_their_action),
        cmocka_unit_test(values_are_converted),
        cmocka_unit_test(bad_values_say_what_would_be_right),
        cmocka_unit_test(without_a_file_caches_are_cleared),
        cmocka_unit_test(a_named_file_must_be_there),
        cmocka_unit_test(limits_are_faults),
    };

    return cmocka_run_group_tests(tests, planned_setup, planned_teardown);
}
