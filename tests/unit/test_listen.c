/* Addresses, and the sockets that are made of them. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/words.h"
#include "proc/listen.h"

static struct fault why;
static const struct identity nobody_asked;

static int open_words(const char *text, struct listeners *out)
{
    struct words words;

    fault_clear(&why);
    assert_int_equal(arena_open(&why), 0);
    assert_int_equal(words_split(text, &words, &why), 0);
    return listen_open(&words, &nobody_asked, out, &why);
}

static void close_all(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        close(listeners->fds[i]);
}

/* A port that nobody listens on, as text. */
static const char *free_port(void)
{
    static char text[16];
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    snprintf(text, sizeof text, "%u", ntohs(address.sin_port));
    return text;
}

static void addresses_are_checked_all_at_once(void **state)
{
    static const struct {
        const char *text;
        bool is_good;
    } rows[] = {
        { "0.0.0.0:8000", true },
        { "127.0.0.1:80", true },
        { ":8000", true },
        { "*:8000", true },
        { "localhost:8000", true },
        { "[::]:8000", true },
        { "[::1]:65535", true },
        { "unix:/run/app.sock", true },
        { "unix:///run/app.sock", true },
        { "8000", false },
        { "0.0.0.0", false },
        { "0.0.0.0:", false },
        { "0.0.0.0:0", false },
        { "0.0.0.0:65536", false },
        { "0.0.0.0:80a", false },
        { "::1:8000", false },
        { "[::1:8000", false },
        { "[127.0.0.1]:80", false },
        { "example.org:80", false },
        { "unix:app.sock", false },
        { "1.2.3:80", false },
        { "0.0.0.0:99999999999999999999", false },
    };
    struct words words;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        fault_clear(&why);
        assert_int_equal(arena_open(&why), 0);
        assert_int_equal(words_split(rows[i].text, &words, &why), 0);
        if ((listen_check(&words, &why) == 0) != rows[i].is_good)
            fail_msg("%s", rows[i].text);
    }
    fault_clear(&why);
    assert_int_equal(words_split("a b :80", &words, &why), 0);
    assert_int_equal(listen_check(&words, &why), -1);
    assert_int_equal(why.count, 2);
    assert_int_equal(words_split(":1 :2 :3 :4 :5 :6 :7 :8 :9", &words, &why), 0);
    assert_int_equal(listen_check(&words, &why), -1);
}

static void a_socket_listens_closes_on_exec_and_is_not_shared(void **state)
{
    struct listeners held, second;
    char text[40];
    int value = 1;
    socklen_t length = sizeof value;

    (void)state;
    snprintf(text, sizeof text, "127.0.0.1:%s", free_port());
    assert_int_equal(open_words(text, &held), 0);
    assert_int_equal(held.count, 1);
    assert_true(fcntl(held.fds[0], F_GETFD) & FD_CLOEXEC);
    assert_int_equal(getsockopt(held.fds[0], SOL_SOCKET, SO_ACCEPTCONN, &value, &length), 0);
    assert_int_equal(value, 1);
    assert_int_equal(getsockopt(held.fds[0], SOL_SOCKET, SO_REUSEPORT, &value, &length), 0);
    assert_int_equal(value, 0);
    assert_int_equal(open_words(text, &second), -1);
    assert_non_null(strstr(fault_line(&why, 0), "something else does already"));
    close_all(&held);
}

static void a_unix_socket_takes_the_place_of_a_stale_one_only(void **state)
{
    struct listeners held, second;
    struct stat st;
    char text[80];
    char path[60];

    (void)state;
    snprintf(path, sizeof path, "/tmp/freshinit-test-%d.sock", (int)getpid());
    snprintf(text, sizeof text, "unix:%s", path);
    assert_int_equal(open_words(text, &held), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0666);
    assert_int_equal(open_words(text, &second), -1);
    assert_non_null(strstr(fault_line(&why, 0), "another process answers"));
    close_all(&held);
    /* Nobody lives behind it any more. */
    assert_int_equal(open_words(text, &held), 0);
    close_all(&held);
    unlink(path);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(open_words(text, &second), -1);
    assert_non_null(strstr(fault_line(&why, 0), "exists and is not a socket"));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_checked_all_at_once),
        cmocka_unit_test(a_socket_listens_closes_on_exec_and_is_not_shared),
        cmocka_unit_test(a_unix_socket_takes_the_place_of_a_stale_one_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
