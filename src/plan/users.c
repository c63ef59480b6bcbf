/*
 * Looks users and groups up, field by field, so that an entry of any length does no harm. Changes
 * no identity.
 */
#include "plan/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fdio.h"
#include "plan/guess.h"

enum { NAME_SIZE = 256, HOME_SIZE = 1024, BUFFER_SIZE = 4096 };

struct rows {
    int fd;
    size_t at;
    size_t length;
    char last; /* what ended the last field: ':' ',' '\n', or NUL for the end of the file */
    char buffer[BUFFER_SIZE];
};

/* False at the end of the file. */
static bool fill(struct rows *rows)
{
    ssize_t length = fdio_read(rows->fd, rows->buffer, sizeof rows->buffer);

    rows->at = 0;
    rows->length = length > 0 ? (size_t)length : 0;
    return rows->length > 0;
}

/* The field up to `end`; one that does not fit is empty. False at the end of the file. */
static bool next_field(struct rows *rows, char end, char *out, size_t out_size)
{
    size_t length = 0;

    for (rows->last = '\0'; rows->at < rows->length || fill(rows);) {
        char byte = rows->buffer[rows->at++];
        if (byte == end || byte == '\n') {
            rows->last = byte;
            break;
        }
        if (length < out_size)
            out[length] = byte;
        length++;
    }
    out[length < out_size ? length : 0] = '\0';
    return rows->last != '\0' || length > 0;
}

static void skip_line(struct rows *rows)
{
    while (rows->last != '\n' && (rows->at < rows->length || fill(rows))) {
        const char *start = rows->buffer + rows->at;
        const char *newline = memchr(start, '\n', rows->length - rows->at);
        rows->at = newline ? (size_t)(newline + 1 - rows->buffer) : rows->length;
        rows->last = newline ? '\n' : '\0';
    }
}

/* False when there is no such file. */
static bool rows_open(struct rows *rows, const char *etc, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", etc, name);
    rows->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    rows->at = rows->length = 0;
    rows->last = '\n';
    return rows->fd >= 0;
}

static bool is_number(const char *text)
{
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static bool read_id(const char *text, unsigned *out)
{
    uint64_t value = 0;

    /* The kernel takes the number of all ones as "leave it". */
    if (!is_number(text))
        return false;
    for (; *text != '\0'; text++)
        if ((value = value * 10 + (uint64_t)(*text - '0')) >= UINT32_MAX)
            return false;
    *out = (unsigned)value;
    return true;
}

/* What is looked for in passwd: a name, or a number. */
struct search {
    const char *name;
    bool is_id;
    unsigned id;
    struct guess *guess; /* NULL: no one asks what is near */
};

/* name:password:uid:gid:comment:home:shell */
static bool take_user(struct rows *rows, const struct search *search, struct identity *out)
{
    char name[NAME_SIZE];
    char skipped[1];
    char number[16];
    char home[HOME_SIZE];
    unsigned uid;
    unsigned gid;

    next_field(rows, ':', name, sizeof name);
    if (search->guess)
        guess_offer(search->guess, name);
    if (!search->is_id && strcmp(name, search->name) != 0)
        return false;
    if (rows->last == ':')
        next_field(rows, ':', skipped, sizeof skipped);
    if (rows->last != ':' || !next_field(rows, ':', number, sizeof number) ||
        !read_id(number, &uid))
        return false;
    if (rows->last != ':' || !next_field(rows, ':', number, sizeof number) ||
        !read_id(number, &gid))
        return false;
    if (search->is_id && uid != search->id)
        return false;
    home[0] = '\0';
    if (rows->last == ':')
        next_field(rows, ':', skipped, sizeof skipped);
    if (rows->last == ':')
        next_field(rows, ':', home, sizeof home);
    out->name = arena_text(name, strlen(name));
    out->home = home[0] == '/' ? arena_text(home, strlen(home)) : "/";
    out->uid = uid;
    out->gid = gid;
    return true;
}

/* 1 found, 0 not, -1 no file. */
static int search_user(const char *etc, const struct search *search, struct identity *out)
{
    struct rows rows;
    bool is_found = false;

    if (!rows_open(&rows, etc, "passwd"))
        return -1;
    do {
        is_found = take_user(&rows, search, out);
        skip_line(&rows);
    } while (!is_found && rows.last != '\0');
    close(rows.fd);
    return is_found ? 1 : 0;
}

static int unknown_user(const char *etc, const char *name, struct fault *why)
{
    char hint[GUESS_TEXT_SIZE];
    struct identity none;
    struct guess guess;
    const struct search search = { .name = name, .guess = &guess };

    guess_start(&guess, name);
    if (search_user(etc, &search, &none) < 0)
        return fault_errno(why, "\"%s\" is not known here, write UID:GID in numbers (%s/passwd)",
                           name, etc);
    return fault_set(why, "\"%s\" is not in %s/passwd%s", name, etc, guess_text(&guess, hint));
}

static int find_user(const char *etc, const char *name, struct identity *out, struct fault *why)
{
    struct search search = { .name = name, .is_id = is_number(name) };

    if (search.is_id && !read_id(name, &search.id))
        return fault_set(why, "\"%s\" is no user number", name);
    if (search_user(etc, &search, out) == 1)
        return 0;
    if (!search.is_id)
        return unknown_user(etc, name, why);
    out->uid = out->gid = search.id;
    return 0;
}

/* name:password:gid:member,member: calls for the gid of a name, or of each group with a member. */
struct group_search {
    const char *name;   /* of the group, or NULL */
    const char *member; /* or NULL */
    struct guess *guess;
};

static bool take_group(struct rows *rows, const struct group_search *search, unsigned *out_gid)
{
    char name[NAME_SIZE];
    char skipped[1];
    char number[16];

    next_field(rows, ':', name, sizeof name);
    if (rows->last == ':')
        next_field(rows, ':', skipped, sizeof skipped);
    if (rows->last != ':' || !next_field(rows, ':', number, sizeof number) ||
        !read_id(number, out_gid))
        return false;
    if (search->name) {
        guess_offer(search->guess, name);
        return strcmp(name, search->name) == 0;
    }
    while (rows->last == ':' || rows->last == ',')
        if (next_field(rows, ',', name, sizeof name) && strcmp(name, search->member) == 0)
            return true;
    return false;
}

static int find_group(const char *etc, const char *name, gid_t *out, struct fault *why)
{
    char hint[GUESS_TEXT_SIZE];
    struct guess guess;
    struct group_search search = { .name = name, .guess = &guess };
    struct rows rows;
    bool is_found = false;

    if (is_number(name))
        return read_id(name, out) ? 0 : fault_set(why, "\"%s\" is no group number", name);
    guess_start(&guess, name);
    if (!rows_open(&rows, etc, "group"))
        return fault_errno(why, "group \"%s\" is not known here, write a number (%s/group)", name,
                           etc);
    do {
        is_found = take_group(&rows, &search, out);
        skip_line(&rows);
    } while (!is_found && rows.last != '\0');
    close(rows.fd);
    if (!is_found)
        return fault_set(why, "group \"%s\" is not in %s/group%s", name, etc,
                         guess_text(&guess, hint));
    return 0;
}

/* Without the file there are none. */
static int add_groups(const char *etc, struct identity *who, struct fault *why)
{
    const struct group_search search = { .member = who->name };
    struct rows rows;
    int result = 0;

    if (!who->name || !rows_open(&rows, etc, "group"))
        return 0;
    do {
        gid_t gid;
        if (take_group(&rows, &search, &gid) && gid != who->gid) {
            if (who->group_count == GROUPS_MAX)
                result = fault_set(why, "\"%s\" is in more than %d groups: write user:group",
                                   who->name, GROUPS_MAX);
            else
                who->groups[who->group_count++] = gid;
        }
        skip_line(&rows);
    } while (result == 0 && rows.last != '\0');
    close(rows.fd);
    return result;
}

int users_find(const char *etc, const char *text, struct identity *out, struct fault *why)
{
    struct identity who = { .text = text, .home = "/" };
    const char *colon = strchr(text, ':');
    size_t length = strcspn(text, ":");
    char user[NAME_SIZE];

    if (length == 0 || length >= sizeof user || (colon && colon[1] == '\0'))
        return fault_set(why, "\"%s\" is not user or user:group", text);
    memcpy(user, text, length);
    user[length] = '\0';
    if (find_user(etc, user, &who, why) < 0)
        return -1;
    if (colon && find_group(etc, colon + 1, &who.gid, why) < 0)
        return -1;
    who.groups[who.group_count++] = who.gid;
    if (!colon && add_groups(etc, &who, why) < 0)
        return -1;
    *out = who;
    return 0;
}
