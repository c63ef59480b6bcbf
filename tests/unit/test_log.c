/* One event is one line, whole or not at all, and never makes anyone wait. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

static int own_stderr;

static int save(void **state)
{
    (void)state;
    own_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    return own_stderr < 0;
}

static int restore(void **state)
{
    (void)state;
    dup2(own_stderr, STDERR_FILENO);
    close(own_stderr);
    log_setup(LOG_FORMAT_HUMAN, LOG_INFO);
    return 0;
}

/* The log goes to `fd`, which becomes stderr. */
static void log_to(int fd)
{
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    close(fd);
    log_open(true);
}

/* A pipe whose reader never waits. */
static int log_to_pipe(void)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    log_to(ends[1]);
    return ends[0];
}

/* What has come since the last look, as text. */
static const char *look(int fd)
{
    static char text[128 * 1024];
    size_t used = 0;
    ssize_t count;

    while ((count = read(fd, text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)count;
    text[used] = '\0';
    return text;
}

static void people_read_the_sentence_alone(void **state)
{
    int reader = log_to_pipe();

    (void)state;
    log_event(LOG_INFO, "x", LOG_FIELDS(LOG_TEXT("a", "b")), "Cleared %d files", 3);
    log_event(LOG_WARN, "x", LOG_NONE, "too\nlong");
    log_event(LOG_ERROR, "x", LOG_NONE, "no");
    assert_string_equal(look(reader), "Cleared 3 files\nfreshinit: warning: too\\x0along\n"
                                      "freshinit: error: no\n");
    close(reader);
}

static void machines_read_one_object(void **state)
{
    int reader = log_to_pipe();

    (void)state;
    log_setup(LOG_FORMAT_JSON, LOG_INFO);
    log_event(LOG_INFO, "stage.done",
              LOG_FIELDS(LOG_TEXT("stage", "a\"\\b\n"), LOG_NUMBER("ms", -7)), "say \"%s\"", "hi");
    const char *text = look(reader);
    assert_memory_equal(text, "{\"time\":\"2", 10);
    assert_non_null(strstr(text, "Z\",\"level\":\"info\",\"event\":\"stage.done\","
                                 "\"message\":\"say \\\"hi\\\"\","
                                 "\"stage\":\"a\\\"\\\\b\\\\x0a\",\"ms\":-7}\n"));
    close(reader);
}

static void a_level_that_is_not_wanted_is_not_written(void **state)
{
    int reader = log_to_pipe();

    (void)state;
    log_setup(LOG_FORMAT_HUMAN, LOG_WARN);
    log_event(LOG_INFO, "x", LOG_NONE, "quiet");
    assert_string_equal(look(reader), "");
    assert_true(log_wants(LOG_WARN));
    assert_false(log_wants(LOG_INFO));
    close(reader);
}

static void an_endless_line_is_cut_and_stays_a_line(void **state)
{
    static char longest[10000];
    const struct log_field fields[] = { LOG_TEXT("a", longest), LOG_TEXT("b", longest),
                                        LOG_TEXT("c", longest), LOG_TEXT("d", longest),
                                        LOG_TEXT("e", longest), { NULL, NULL, 0 } };
    int reader = log_to_pipe();

    (void)state;
    memset(longest, '"', sizeof longest - 1);
    for (int format = LOG_FORMAT_HUMAN; format <= LOG_FORMAT_JSON; format++) {
        log_setup((enum log_format)format, LOG_INFO);
        log_event(LOG_INFO, "x", fields, "%s", longest);
        const char *text = look(reader);
        size_t length = strlen(text);
        assert_in_range(length, 1000, LOG_LINE_MAX);
        assert_ptr_equal(strchr(text, '\n'), text + length - 1);
        assert_int_equal(text[length - 2], format == LOG_FORMAT_JSON ? '}' : '.');
    }
    close(reader);
}

/* Fills what stderr is, by way of a second descriptor. */
static void fill(void)
{
    int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    char block[4096];

    assert_true(fd >= 0);
    memset(block, '-', sizeof block);
    while (write(fd, block, sizeof block) > 0)
        continue;
    close(fd);
}

/* Would hang here, and be ended by the runner, if it waited for a reader. */
static void what_nobody_reads_is_lost_and_counted(void **state)
{
    (void)state;
    for (int is_shared = 0; is_shared < 2; is_shared++) {
        int reader = log_to_pipe();
        if (is_shared)
            log_share();
        fill();
        log_event(LOG_INFO, "x", LOG_NONE, "one");
        log_event(LOG_INFO, "x", LOG_NONE, "two");
        assert_null(strstr(look(reader), "one"));
        log_event(LOG_INFO, "x", LOG_NONE, "three");
        log_event(LOG_INFO, "x", LOG_NONE, "four");
        assert_string_equal(look(reader),
                            "freshinit: warning: 2 log lines were lost: nobody read them\n"
                            "three\nfour\n");
        /* The server shares it. */
        assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
        close(reader);
    }
}

static void a_reader_that_went_away_ends_nobody(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    log_to(ends[1]);
    log_event(LOG_INFO, "x", LOG_NONE, "heard");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    assert_string_equal(look(ends[0]), "heard\n");
    close(ends[0]);
    /* With SIGPIPE at its default this would be the end. */
    log_event(LOG_INFO, "x", LOG_NONE, "unheard");
    close(STDERR_FILENO);
    log_open(true);
    log_event(LOG_INFO, "x", LOG_NONE, "without stderr");
    /* Else the pipe would become stderr. */
    dup2(own_stderr, STDERR_FILENO);
    int reader = log_to_pipe();
    log_event(LOG_INFO, "x", LOG_NONE, "again");
    assert_non_null(strstr(look(reader), "again\n"));
    close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(people_read_the_sentence_alone, save, restore),
        cmocka_unit_test_setup_teardown(machines_read_one_object, save, restore),
        cmocka_unit_test_setup_teardown(a_level_that_is_not_wanted_is_not_written, save, restore),
        cmocka_unit_test_setup_teardown(an_endless_line_is_cut_and_stays_a_line, save, restore),
        cmocka_unit_test_setup_teardown(what_nobody_reads_is_lost_and_counted, save, restore),
        cmocka_unit_test_setup_teardown(a_reader_that_went_away_ends_nobody, save, restore),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
