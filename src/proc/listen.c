/*
 * Binds and listens, before root is given up, so that a reload refuses no one.
 */
#include "proc/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket address of either kind. */
struct address {
    struct sockaddr_storage storage;
    socklen_t length;
    const char *path; /* of a unix socket, or NULL */
};

static int parse_unix(const char *text, struct address *out, struct fault *why)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&out->storage;
    const char *path = strncmp(text, "//", 2) == 0 ? text + 2 : text;

    if (path[0] != '/' || strlen(path) >= sizeof address->sun_path)
        return fault_set(why, "\"unix:%s\" needs an absolute path of at most %zu bytes", text,
                         sizeof address->sun_path - 1);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, strlen(path) + 1);
    out->length = sizeof *address;
    out->path = address->sun_path;
    return 0;
}

static bool parse_port(const char *text, in_port_t *out)
{
    unsigned port = 0;
    size_t length = strspn(text, "0123456789");

    for (size_t i = 0; i < length && port <= 65535; i++)
        port = port * 10 + (unsigned)(text[i] - '0');
    *out = htons((uint16_t)port);
    return length > 0 && text[length] == '\0' && port > 0 && port <= 65535;
}

static int parse(const char *text, struct address *out, struct fault *why)
{
    struct sockaddr_in *four = (struct sockaddr_in *)&out->storage;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&out->storage;
    const char *colon = strrchr(text, ':');
    char host[64] = "";
    in_port_t port = 0;

    memset(out, 0, sizeof *out);
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, out, why);
    size_t length = colon ? (size_t)(colon - text) : 0;
    bool is_six = length >= 2 && text[0] == '[' && text[length - 1] == ']';
    if (!colon || length >= sizeof host || !parse_port(colon + 1, &port))
        return fault_set(why,
                         "\"%s\" is no address: write 0.0.0.0:8000, [::]:8000 or "
                         "unix:/run/app.sock",
                         text);
    memcpy(host, text + is_six, length - 2 * (size_t)is_six);
    if (is_six && inet_pton(AF_INET6, host, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = port;
        out->length = sizeof *six;
        return 0;
    }
    const char *numeric = host[0] == '\0' || strcmp(host, "*") == 0 ? "0.0.0.0"
                          : strcmp(host, "localhost") == 0          ? "127.0.0.1"
                                                                    : host;
    if (is_six || inet_pton(AF_INET, numeric, &four->sin_addr) != 1)
        return fault_set(why,
                         "\"%s\" is no address of this machine in numbers, like "
                         "0.0.0.0 or [::]",
                         host);
    four->sin_family = AF_INET;
    four->sin_port = port;
    out->length = sizeof *four;
    return 0;
}

int listen_check(const struct words *addresses, struct fault *why)
{
    struct address address;
    int result = 0;

    if (addresses->count > LISTEN_MAX)
        return fault_set(why, "more than %d addresses", LISTEN_MAX);
    for (size_t i = 0; i < addresses->count; i++)
        if (parse(addresses->items[i], &address, why) < 0)
            result = -1;
    return result;
}

/* A socket file that nobody answers behind is in the way of a new one. */
static int clear_way(int fd, const struct address *address, struct fault *why)
{
    struct stat st;

    if (lstat(address->path, &st) < 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return fault_set(why, "listen: %s exists and is not a socket", address->path);
    /* EAGAIN: so many wait for its answer already that the kernel would let us wait, too. */
    if (connect(fd, (const struct sockaddr *)&address->storage, address->length) == 0 ||
        errno == EAGAIN)
        return fault_set(why, "listen: another process answers at %s", address->path);
    if (errno != ECONNREFUSED)
        return fault_errno(why, "listen: %s", address->path);
    if (unlink(address->path) < 0)
        return fault_errno(why, "listen: can't remove the stale socket %s", address->path);
    return 0;
}

/* Of the file that bind has made, and of no other that someone has put in its place meanwhile. */
static int give_socket(const char *path, const struct identity *user)
{
    struct stat st;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    bool is_ours = fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_nlink == 1 &&
                   st.st_uid == geteuid();

    if (fd >= 0 && !is_ours)
        errno = EEXIST;
    int result = is_ours ? fchownat(fd, "", user->uid, user->gid, AT_EMPTY_PATH) : -1;
    if (fd >= 0)
        close(fd);
    return result;
}

/* A proxy of another user is to reach it: who may is the folder's matter. */
static int bind_unix(int fd, const struct address *address, const struct identity *user)
{
    /* The file gets the mode of the socket, so no name has to be followed a second time. */
    if (fchmod(fd, 0666) < 0)
        return -1;
    mode_t mask = umask(0);
    int result = bind(fd, (const struct sockaddr *)&address->storage, address->length);
    umask(mask);
    return result == 0 && user->text ? give_socket(address->path, user) : result;
}

static int bind_address(int fd, const struct address *address, const struct identity *user,
                        struct fault *why)
{
    int yes = 1;
    int result;

    if (address->path) {
        int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        result = probe < 0 ? fault_errno(why, "listen: socket") : clear_way(probe, address, why);
        if (probe >= 0)
            close(probe);
        if (result < 0)
            return -1;
        result = bind_unix(fd, address, user);
    } else {
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0)
            return fault_errno(why, "listen: SO_REUSEADDR");
        result = bind(fd, (const struct sockaddr *)&address->storage, address->length);
    }
    return result == 0 ? listen(fd, LISTEN_BACKLOG) : -1;
}

static int open_one(const char *text, const struct identity *user, struct fault *why)
{
    struct address address;

    if (parse(text, &address, why) < 0)
        return -1;
    int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fault_errno(why, "can't listen on %s", text);
    if (bind_address(fd, &address, user, why) == 0)
        return fd;
    if (why->count == 0 && errno == EADDRINUSE)
        fault_set(why,
                  "can't listen on %s: something else does already (a stage with free = "
                  "tcp://%s names it)",
                  text, text);
    else if (why->count == 0)
        fault_errno(why, "can't listen on %s", text);
    close(fd);
    return -1;
}

int listen_open(const struct words *addresses, const struct identity *user, struct listeners *out,
                struct fault *why)
{
    *out = (struct listeners){ 0 };
    for (size_t i = 0; i < addresses->count; i++) {
        int fd = open_one(addresses->items[i], user, why);
        if (fd < 0)
            return -1;
        out->fds[out->count++] = fd;
    }
    return 0;
}

uint16_t listen_port(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return address->ss_family == AF_INET ? ntohs(((const struct sockaddr_in *)address)->sin_port)
                                         : 0;
}

bool listen_has_low_port(const struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct sockaddr_storage address = { 0 };
        socklen_t length = sizeof address;
        uint16_t port = getsockname(listeners->fds[i], (struct sockaddr *)&address, &length) == 0
                            ? listen_port(&address)
                            : 0;
        if (port > 0 && port < IPPORT_RESERVED)
            return true;
    }
    return false;
}
