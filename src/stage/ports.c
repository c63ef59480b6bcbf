/*
 * Reads the kernel's tables of listening sockets, and finds the processes behind them by inode.
 * Never signals anyone, never opens a connection.
 */
#include "stage/ports.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fdio.h"
#include "proc/procfs.h"

enum { STATE_LISTEN = 0x0a, LINE_SIZE = 512 };

static const unsigned char v4_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool is_any(const struct ports_address *address)
{
    static const unsigned char none[16] = { 0 };

    return memcmp(address->bytes, none, sizeof none) == 0;
}

static void put_v4(const unsigned char *four, struct ports_address *out)
{
    static const unsigned char none[4] = { 0 };

    memset(out->bytes, 0, sizeof out->bytes);
    out->is_ipv6 = false;
    if (memcmp(four, none, sizeof none) == 0)
        return;
    memcpy(out->bytes, v4_prefix, sizeof v4_prefix);
    memcpy(out->bytes + sizeof v4_prefix, four, 4);
}

int ports_address(const char *host, uint16_t port, struct ports_address *out, struct fault *why)
{
    unsigned char bytes[16];
    struct ports_address address = { .port = port };

    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (inet_pton(AF_INET, host, bytes) == 1) {
        put_v4(bytes, &address);
    } else if (inet_pton(AF_INET6, host, bytes) == 1) {
        memcpy(address.bytes, bytes, sizeof bytes);
        address.is_ipv6 = true;
    } else {
        return fault_set(why, "\"%s\" is no address: write the numbers, like tcp://0.0.0.0:%u",
                         host, (unsigned)port);
    }
    *out = address;
    return 0;
}

bool ports_collide(const struct ports_address *left, const struct ports_address *right)
{
    bool is_left_v4 = !left->is_ipv6 || memcmp(left->bytes, v4_prefix, sizeof v4_prefix) == 0;
    bool is_right_v4 = !right->is_ipv6 || memcmp(right->bytes, v4_prefix, sizeof v4_prefix) == 0;

    if (left->port != right->port)
        return false;
    /* :: takes IPv4 as well, unless it was told not to, which the table does not show. */
    if (left->is_ipv6 && is_any(left))
        return true;
    if (right->is_ipv6 && is_any(right))
        return true;
    if (is_left_v4 != is_right_v4)
        return false;
    return is_any(left) || is_any(right) ||
           memcmp(left->bytes, right->bytes, sizeof left->bytes) == 0;
}

/* The words of a line, cut in place; how many. */
static size_t split(char *line, char **words, size_t max)
{
    size_t count = 0;

    for (line += strspn(line, " "); *line != '\0' && count < max; line += strspn(line, " ")) {
        words[count++] = line;
        line += strcspn(line, " ");
        if (*line != '\0')
            *line++ = '\0';
    }
    return count;
}

static bool parse_number(const char *text, int base, uint64_t *out)
{
    char *end;

    if (!isxdigit((unsigned char)text[0]))
        return false;
    *out = strtoull(text, &end, base);
    return *end == '\0';
}

/* The table prints the address as words of the machine, so that is how they are put back. */
static bool parse_address(const char *text, struct ports_address *out)
{
    size_t digits = strspn(text, "0123456789ABCDEFabcdef");
    unsigned char bytes[16];
    uint64_t port;

    if ((digits != 8 && digits != 32) || text[digits] != ':' ||
        !parse_number(text + digits + 1, 16, &port) || port > UINT16_MAX)
        return false;
    for (size_t i = 0; i < digits / 8; i++) {
        char word_text[9];
        memcpy(word_text, text + i * 8, 8);
        word_text[8] = '\0';
        uint32_t word = (uint32_t)strtoul(word_text, NULL, 16);
        memcpy(bytes + i * 4, &word, 4);
    }
    *out = (struct ports_address){ .port = (uint16_t)port, .is_ipv6 = digits == 32 };
    if (digits == 32)
        memcpy(out->bytes, bytes, sizeof bytes);
    else
        put_v4(bytes, out);
    return true;
}

/* "0: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 12345 ..." */
bool ports_parse(const char *line, struct ports_socket *out)
{
    enum { LOCAL = 1, STATE = 3, UID = 7, INODE = 9, WORDS };
    char copy[LINE_SIZE];
    char *words[WORDS];
    struct ports_socket found = { 0 };
    uint64_t state;
    uint64_t uid;

    snprintf(copy, sizeof copy, "%s", line);
    if (split(copy, words, WORDS) != WORDS || !parse_number(words[STATE], 16, &state) ||
        !parse_number(words[UID], 10, &uid) || !parse_number(words[INODE], 10, &found.inode) ||
        state != STATE_LISTEN || uid > UINT32_MAX || !parse_address(words[LOCAL], &found.address))
        return false;
    found.uid = (uid_t)uid;
    *out = found;
    return true;
}

/* Reads the table line by line and hands each to `take`; false when there is no such table. */
struct table {
    bool (*is_wanted)(const char *line, const void *what, struct ports_socket *out);
    const void *what;
    struct ports_sockets *out;
};

static void take_line(const struct table *table, const char *line)
{
    struct ports_socket found;

    if (table->out->count < PORTS_SOCKETS_MAX && table->is_wanted(line, table->what, &found))
        table->out->items[table->out->count++] = found;
}

static int read_table(const char *path, const struct table *table)
{
    char buffer[8192];
    size_t used = 0;
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    while ((got = fdio_read(fd, buffer + used, sizeof buffer - 1 - used)) > 0) {
        used += (size_t)got;
        buffer[used] = '\0';
        char *line = buffer;
        for (char *end; (end = memchr(line, '\n', used - (size_t)(line - buffer)));
             line = end + 1) {
            *end = '\0';
            take_line(table, line);
        }
        used -= (size_t)(line - buffer);
        /* A line that fills the buffer is none of ours. */
        if (used == sizeof buffer - 1)
            used = 0;
        memmove(buffer, line, used);
    }
    int error = errno;
    close(fd);
    errno = error;
    return got < 0 ? -1 : 0;
}

static bool is_tcp_wanted(const char *line, const void *what, struct ports_socket *out)
{
    return ports_parse(line, out) && ports_collide(&out->address, what);
}

int ports_find(const struct ports_address *wanted, struct ports_sockets *out, struct fault *why)
{
    const struct table table = { .is_wanted = is_tcp_wanted, .what = wanted, .out = out };

    out->count = 0;
    if (read_table("/proc/net/tcp", &table) < 0)
        return fault_errno(why, "read /proc/net/tcp, to see who listens");
    /* Not there where the kernel has no IPv6. */
    if (read_table("/proc/net/tcp6", &table) < 0 && errno != ENOENT)
        return fault_errno(why, "read /proc/net/tcp6, to see who listens");
    return 0;
}

/* "ffff...: 00000002 00000000 00010000 0001 01 12345 /run/x.sock": the path may have blanks. */
static bool is_unix_wanted(const char *line, const void *what, struct ports_socket *out)
{
    const char *path = strchr(line, '/');
    char head[LINE_SIZE];
    char *words[7];
    uint64_t inode;

    if (!path || strcmp(path, what) != 0)
        return false;
    snprintf(head, sizeof head, "%.*s", (int)(path - line), line);
    if (split(head, words, COUNT(words)) != COUNT(words) || !parse_number(words[6], 10, &inode))
        return false;
    *out = (struct ports_socket){ .inode = inode };
    return true;
}

int ports_find_unix(const char *path, struct ports_sockets *out, struct fault *why)
{
    const struct table table = { .is_wanted = is_unix_wanted, .what = path, .out = out };

    out->count = 0;
    if (read_table("/proc/net/unix", &table) < 0)
        return fault_errno(why, "read /proc/net/unix, to see who listens");
    return 0;
}

bool ports_describe(pid_t pid, struct ports_holder *out)
{
    char path[48];
    char raw[PORTS_COMMAND_SIZE * 2];
    struct procfs_entry entry;
    struct stat st;

    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    if (stat(path, &st) < 0 || !procfs_read(pid, &entry) || entry.state == 'Z')
        return false;
    out->pid = pid;
    out->start = entry.start;
    out->uid = st.st_uid;
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : fdio_read(fd, raw, sizeof raw - 1);
    if (fd >= 0)
        close(fd);
    for (ssize_t i = 0; i < size; i++)
        if (raw[i] == '\0')
            raw[i] = ' ';
    while (size > 0 && raw[size - 1] == ' ')
        size--;
    raw[size > 0 ? size : 0] = '\0';
    escape_text(size > 0 ? raw : entry.name, out->command, sizeof out->command);
    return true;
}

static bool is_one_of(const struct ports_sockets *sockets, const char *link)
{
    if (strncmp(link, "socket:[", 8) != 0)
        return false;
    uint64_t inode = strtoull(link + 8, NULL, 10);
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->items[i].inode == inode)
            return true;
    return false;
}

/* 1 when the process has one of them open, 0 when not, -1 when we may not look. */
static int has_open(pid_t pid, const struct ports_sockets *sockets)
{
    char path[32];
    int result = 0;
    const struct dirent *entry;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *list = opendir(path);
    if (!list)
        return errno == EACCES || errno == EPERM ? -1 : 0;
    while (result == 0 && (entry = readdir(list))) {
        char link[64];
        ssize_t size = readlinkat(dirfd(list), entry->d_name, link, sizeof link - 1);
        link[size > 0 ? size : 0] = '\0';
        result = is_one_of(sockets, link);
        if (size < 0 && (errno == EACCES || errno == EPERM))
            result = -1;
    }
    closedir(list);
    return result;
}

static void add_holder(const struct ports_holder *holder, struct ports_holders *out)
{
    size_t place = out->count;

    if (out->count == PORTS_HOLDERS_MAX)
        return;
    for (; place > 0 && out->items[place - 1].start > holder->start; place--)
        out->items[place] = out->items[place - 1];
    out->items[place] = *holder;
    out->count++;
}

void ports_holders(const struct ports_sockets *sockets, struct ports_holders *out)
{
    struct procfs_walk walk;
    struct procfs_entry entry;
    struct ports_holder holder;

    out->count = 0;
    out->has_hidden = false;
    if (sockets->count == 0 || !procfs_open(&walk))
        return;
    while (procfs_next(&walk, &entry)) {
        int result = has_open(entry.pid, sockets);
        if (result < 0)
            out->has_hidden = true;
        if (result > 0 && ports_describe(entry.pid, &holder))
            add_holder(&holder, out);
    }
}
