/* A child gets what was asked for and nothing else, and says why it can't be started. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "forked.h"
#include "planned.h"
#include "proc/spawn.h"

static struct fault why;
static char *const environment[] = { "PATH=/bin:/usr/bin", "A=1", NULL };

/* What it printed; its status of wait(2) in `status`. */
static const char *run(struct spawn what, int *status)
{
    static char text[8192];
    size_t used = 0;
    ssize_t count;
    int ends[2];
    pid_t pid = 0;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    what.output = ends[1];
    if (!what.environment)
        what.environment = environment;
    fault_clear(&why);
    assert_int_equal(spawn_start(&what, &pid, &why), 0);
    close(ends[1]);
    while ((count = read(ends[0], text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)count;
    text[used] = '\0';
    close(ends[0]);
    *status = forked_wait(pid);
    return text;
}

static void what_cannot_be_started_says_why(void **state)
{
    static const struct {
        char *word;
        int code;
        const char *says;
    } rows[] = { { "true", 0, "" },
                 { "/bin/true", 0, "" },
                 { "false", 1, "" },
                 { "no-such-program", 127, "not found in PATH (/bin:/usr/bin)" },
                 { "./missing", 127, "can't start ./missing: No such file or directory" },
                 { "", 127, "No such file or directory" },
                 { "./plain", 126, "it is not executable (chmod +x)" },
                 { "./text", 126, "no program for this machine, and no #! line" },
                 { "./script", 127,
                   "the interpreter of its first line, or its loader, is missing" },
                 { ".", 126, "it is a directory" },
                 { "./", 126, "it is a directory" } };

    (void)state;
    planned_write("plain", "x", 1);
    planned_write("text", "x\n", 2);
    planned_write("script", "#!/no/such/thing\n", 17);
    assert_int_equal(chmod("text", 0755) | chmod("script", 0755), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = -1;
        const char *said = run((struct spawn){ .argv = WORDS(rows[i].word) }, &status);
        assert_non_null(strstr(said, rows[i].says));
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), rows[i].code);
    }
    assert_true(unlink("plain") == 0 && unlink("text") == 0 && unlink("script") == 0);
}

static void it_begins_where_and_as_was_asked(void **state)
{
    char *script = "pwd; umask; echo $A $B; read line || echo no input; "
                   "[ -e /proc/self/fd/77 ] || echo none of ours";
    int own = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 77);
    int status = -1;
    const char *said = run((struct spawn){ .argv = WORDS("sh", "-c", script),
                                           .workdir = "/usr",
                                           .has_umask = true,
                                           .umask = 027,
                                           .has_no_input = true },
                           &status);

    (void)state;
    assert_int_equal(own, 77);
    assert_string_equal(said, "/usr\n0027\n1\nno input\nnone of ours\n");
    assert_int_equal(status, 0);
    close(own);
}

static void a_workdir_that_is_not_there_is_a_fault(void **state)
{
    int status = -1;
    const char *said = run((struct spawn){ .argv = WORDS("true"), .workdir = "/no/such" }, &status);

    (void)state;
    assert_non_null(strstr(said, "can't change to workdir /no/such: No such file or directory"));
    assert_int_equal(WEXITSTATUS(status), 125);
}

static void sockets_meant_for_us_are_meant_for_it(void **state)
{
    char mine[32];
    char *const rows[][2] = { { mine, "yes" },
                              { "LISTEN_PID=self", "yes" },
                              { "LISTEN_PID=1", "1" } };
    char *script = "[ $LISTEN_PID = $$ ] && echo yes || echo $LISTEN_PID";

    (void)state;
    snprintf(mine, sizeof mine, "LISTEN_PID=%d", (int)getpid());
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = -1;
        char *const given[] = { "PATH=/bin:/usr/bin", rows[i][0], NULL };
        const char *said =
            run((struct spawn){ .argv = WORDS("sh", "-c", script), .environment = given }, &status);
        assert_int_equal(strncmp(said, rows[i][1], strlen(rows[i][1])), 0);
    }
}

/* As an exec on a hung mount would. */
static void hang(const void *context)
{
    const int *ends = context;
    char letter;

    if (read(ends[0], &letter, 1) != 1)
        _exit(1);
}

static void one_that_hangs_before_its_program_does_not_stop_us(void **state)
{
    int ends[2];
    pid_t pid = 0;

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const struct spawn what = {
        .argv = WORDS("true"), .environment = environment, .prepare = hang, .context = ends
    };
    fault_clear(&why);
    assert_int_equal(spawn_start(&what, &pid, &why), 0);
    /* Whoever waits for its exec without an end never comes here. */
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(forked_wait(pid), 0);
    assert_true(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static int tell_group(const void *context)
{
    char text[64];
    int length = snprintf(text, sizeof text, "%s %s", (const char *)context,
                          getpgrp() == getpid() ? "leads" : "follows");

    /* Nobody reads this one: with SIGPIPE it would end here. */
    int ends[2];
    if (pipe(ends) < 0 || close(ends[0]) < 0 || write(ends[1], "x", 1) >= 0)
        return 1;
    return write(STDOUT_FILENO, text, (size_t)length) == length ? 42 : 1;
}

static void a_function_is_a_child_too(void **state)
{
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        int status = -1;
        const char *said =
            run((struct spawn){ .body = tell_group, .context = "it", .keeps_group = keeps },
                &status);
        assert_string_equal(said, keeps ? "it follows" : "it leads");
        assert_int_equal(WEXITSTATUS(status), 42);
    }
}

static int become(const void *context)
{
    (void)context;
    fault_clear(&why);
    return spawn_become(&(struct spawn){ .argv = WORDS("sh", "-c", "kill -PIPE $$"),
                                         .environment = environment },
                        &why);
}

static void a_function_becomes_a_program_with_a_clean_start(void **state)
{
    int status = -1;

    (void)state;
    run((struct spawn){ .body = become }, &status);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_started_says_why),
        cmocka_unit_test(it_begins_where_and_as_was_asked),
        cmocka_unit_test(a_workdir_that_is_not_there_is_a_fault),
        cmocka_unit_test(one_that_hangs_before_its_program_does_not_stop_us),
        cmocka_unit_test(sockets_meant_for_us_are_meant_for_it),
        cmocka_unit_test(a_function_is_a_child_too),
        cmocka_unit_test(a_function_becomes_a_program_with_a_clean_start),
    };

    return cmocka_run_group_tests(tests, planned_setup, planned_teardown);
}
