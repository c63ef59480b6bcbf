/* wraps: bind */
/* Addresses, and the sockets that are made of them. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

static const char *swapped; /* what bind has made becomes a link to "victim" at once */

int __real_bind(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    int result = __real_bind(fd, address, length);

    if (result == 0 && swapped)
        assert_true(unlink(swapped) == 0 && symlink("victim", swapped) == 0);
    return result;
}

static int open_for(const char *text, const struct identity *user, struct listeners *out)
{
    struct words words;

    fault_clear(&why);
    assert_int_equal(arena_open(&why), 0);
    assert_int_equal(words_split(text, &words, &why), 0);
    return listen_open(&words, user, out, &why);
}

static int open_words(const char *text, struct listeners *out)
{
    return open_for(text, &nobody_asked, out);
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

static void a_unix_socket_is_given_to_the_user_and_no_other_file_is(void **state)
{
    static const struct identity user = { .text = "54321", .uid = 54321, .gid = 54321 };
    struct listeners held;
    struct stat st;
    char folder[] = "/tmp/freshinit-test-XXXXXX";
    char path[60];
    char victim[60];
    char text[80];

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/app.sock", folder);
    snprintf(victim, sizeof victim, "%s/victim", folder);
    snprintf(text, sizeof text, "unix:%s", path);
    mode_t mask = umask(077);
    assert_int_equal(open_for(text, &user, &held), 0);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666);
    assert_true(st.st_uid == 54321 && st.st_gid == 54321);
    close_all(&held);
    close(open(victim, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    swapped = path;
    assert_int_equal(open_for(text, &user, &held), -1);
    swapped = NULL;
    assert_int_equal(stat(victim, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_uid, 0);
    umask(mask);
    assert_true(unlink(path) == 0 && unlink(victim) == 0 && rmdir(folder) == 0);
}

static void a_listener_that_accepts_nobody_stops_nobody(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct listeners held;
    char text[120];
    int full = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int waiting[2];

    (void)state;
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/freshinit-test-%d.sock",
             (int)getpid());
    snprintf(text, sizeof text, "unix:%s", address.sun_path);
    assert_int_equal(bind(full, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(full, 0), 0);
    for (size_t i = 0; i < COUNT(waiting); i++) {
        waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (connect(waiting[i], (struct sockaddr *)&address, sizeof address) < 0)
            assert_int_equal(errno, EAGAIN);
    }
    assert_int_equal(open_words(text, &held), -1);
    assert_non_null(strstr(fault_line(&why, 0), "another process answers"));
    close(full);
    for (size_t i = 0; i < COUNT(waiting); i++)
        close(waiting[i]);
    unlink(address.sun_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_checked_all_at_once),
        cmocka_unit_test(a_socket_listens_closes_on_exec_and_is_not_shared),
        cmocka_unit_test(a_unix_socket_takes_the_place_of_a_stale_one_only),
        cmocka_unit_test(a_unix_socket_is_given_to_the_user_and_no_other_file_is),
        cmocka_unit_test(a_listener_that_accepts_nobody_stops_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
