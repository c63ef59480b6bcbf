/* /proc is read right whatever a process calls itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "forked.h"
#include "proc/procfs.h"

static int end_at_once(void)
{
    return 0;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    forked_wait(pid);
}

static void a_process_is_known_whatever_its_name(void **state)
{
    static const struct {
        const char *name;
        const char *shown;
    } rows[] = { { "plain", "plain" }, { "a) Z 1 (b", "a) Z 1 (b" }, { ") R 0 0", ") R 0 0" },
                 { "(((", "(((" },     { "a\033[2J", "a\\x1b[2J" },  { "", "" } };
    char own[16];

    (void)state;
    assert_int_equal(prctl(PR_GET_NAME, own), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct procfs_entry self = { 0 };
        assert_int_equal(prctl(PR_SET_NAME, rows[i].name), 0);
        assert_true(procfs_read(getpid(), &self));
        assert_string_equal(self.name, rows[i].shown);
        assert_int_equal(self.pid, getpid());
        assert_int_equal(self.parent, getppid());
        assert_int_equal(self.group, getpgrp());
        assert_int_equal(self.state, 'R');
        assert_true(self.start > 0);
    }
    prctl(PR_SET_NAME, own);
}

static void the_ended_and_the_missing_are_told_apart(void **state)
{
    struct procfs_entry entry = { 0 };
    pid_t pid = forked_start(end_at_once);

    (void)state;
    forked_await_zombie(pid);
    assert_true(procfs_read(pid, &entry));
    assert_int_equal(entry.state, 'Z');
    forked_wait(pid);
    assert_false(procfs_read(pid, &entry));
    assert_false(procfs_read(2147483647, &entry));
}

static void a_walk_meets_each_process_once(void **state)
{
    enum { MANY = 20 };
    struct procfs_walk walk;
    struct procfs_entry entry;
    pid_t pids[MANY];
    int met[MANY] = { 0 };

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        pids[i] = forked_start(forked_pause);
    assert_true(procfs_open(&walk));
    while (procfs_next(&walk, &entry))
        for (size_t i = 0; i < MANY; i++)
            met[i] += entry.pid == pids[i];
    for (size_t i = 0; i < MANY; i++) {
        end(pids[i]);
        assert_int_equal(met[i], 1);
    }
}

/* What a child reads from and writes to. */
static int told[2];

static int have_a_child(void)
{
    pid_t pid = forked_start(forked_pause);

    if (write(told[1], &pid, sizeof pid) != sizeof pid)
        return 1;
    return forked_pause();
}

static void descent_goes_over_generations(void **state)
{
    pid_t child;
    pid_t grandchild = 0;

    (void)state;
    assert_int_equal(pipe(told), 0);
    child = forked_start(have_a_child);
    assert_int_equal(read(told[0], &grandchild, sizeof grandchild), sizeof grandchild);
    assert_true(procfs_descends(child, getpid()));
    assert_true(procfs_descends(grandchild, getpid()));
    assert_true(procfs_descends(grandchild, child));
    assert_false(procfs_descends(child, grandchild));
    assert_false(procfs_descends(getpid(), getpid()));
    assert_false(procfs_descends(1, getpid()));
    kill(grandchild, SIGKILL);
    end(child);
    close(told[0]);
    close(told[1]);
}

static int become_helper(void)
{
    static const char script[] = "echo; read line";

    dup2(told[1], STDOUT_FILENO);
    dup2(told[0], STDIN_FILENO);
    execl("/bin/sh", "sh", "-c", script,
          "from multiprocessing.resource_tracker import main;main(6)", (char *)NULL);
    return 127;
}

static void pythons_helper_is_known_by_its_words(void **state)
{
    int in[2];
    int out[2];
    char line;

    (void)state;
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    told[0] = in[0];
    told[1] = out[1];
    pid_t pid = forked_start(become_helper);
    assert_int_equal(read(out[0], &line, 1), 1);
    assert_true(procfs_is_helper(pid));
    assert_false(procfs_is_helper(getpid()));
    end(pid);
    assert_false(procfs_is_helper(pid));
    for (int i = 0; i < 2; i++) {
        close(in[i]);
        close(out[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_is_known_whatever_its_name),
        cmocka_unit_test(the_ended_and_the_missing_are_told_apart),
        cmocka_unit_test(a_walk_meets_each_process_once),
        cmocka_unit_test(descent_goes_over_generations),
        cmocka_unit_test(pythons_helper_is_known_by_its_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
