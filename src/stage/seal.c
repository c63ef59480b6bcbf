/*
 * The seal's bytes: a head of text, then each file with what its path shares with the one before
 * left out, then a hash of it all. Reads it; seal_draft.c writes it.
 */
#include "stage/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fdio.h"
#include "plan/release.h"
#include "stage/siphash.h"
#include "stage/tree.h"

enum { SIZE_MAX_BYTES = 64 * 1024 * 1024, BLOCK_SIZE = 64 * 1024 };

static uint64_t hash_bytes(const void *data, size_t size)
{
    struct siphash hash;

    siphash_start(&hash, SIPHASH_13, SEAL_KEY);
    siphash_feed(&hash, data, size);
    return siphash_end(&hash);
}

/* 0 stands for an empty place. */
static uint64_t hash_path(const char *path)
{
    uint64_t hash = hash_bytes(path, strlen(path));

    return hash != 0 ? hash : 1;
}

int seal_hash(int dir, const char *name, uint32_t *size, uint64_t *content)
{
    char room[BLOCK_SIZE];
    struct siphash hash;
    uint64_t total = 0;
    ssize_t got;

    int fd = tree_file(dir, name, false);
    if (fd < 0)
        return -1;
    siphash_start(&hash, SIPHASH_13, SEAL_KEY);
    while ((got = fdio_read(fd, room, sizeof room)) > 0) {
        siphash_feed(&hash, room, (size_t)got);
        total += (uint64_t)got;
        if ((size_t)got < sizeof room)
            break;
    }
    tree_close(fd);
    *size = (uint32_t)total;
    *content = siphash_end(&hash);
    return got < 0 ? -1 : 0;
}

int seal_matches(const struct seal_item *item, int dir, const char *name)
{
    uint32_t size;
    uint64_t content;

    if (seal_hash(dir, name, &size, &content) < 0)
        return -1;
    return size == item->size && content == item->content;
}

/* Seven bits a byte, the low ones first. False: cut, or no number of 32 bits. */
static bool take_number(const struct seal *seal, size_t *at, uint32_t *out)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (*at == seal->size)
            return false;
        unsigned char byte = seal->bytes[(*at)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = (uint32_t)value;
            return value <= UINT32_MAX;
        }
    }
    return false;
}

static uint64_t number_at(const unsigned char *bytes)
{
    uint64_t value = 0;

    for (int i = SEAL_HASH_SIZE - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

bool seal_next(const struct seal *seal, struct seal_cursor *cursor)
{
    uint32_t shared;
    uint32_t more;

    if (cursor->at == seal->size || !take_number(seal, &cursor->at, &shared) ||
        !take_number(seal, &cursor->at, &more) || shared > cursor->length ||
        more > seal->size - cursor->at || shared + (size_t)more >= sizeof cursor->path)
        return false;
    memcpy(cursor->path + shared, seal->bytes + cursor->at, more);
    cursor->length = shared + more;
    cursor->path[cursor->length] = '\0';
    cursor->at += more;
    if (!take_number(seal, &cursor->at, &cursor->size) || seal->size - cursor->at < SEAL_HASH_SIZE)
        return false;
    cursor->content = number_at(seal->bytes + cursor->at);
    cursor->at += SEAL_HASH_SIZE;
    return true;
}

struct seal_item *seal_find(const struct seal *seal, const char *path)
{
    uint64_t hash = hash_path(path);

    for (size_t at = hash & (seal->room - 1);; at = (at + 1) & (seal->room - 1)) {
        if (seal->items[at].path == hash)
            return &seal->items[at];
        if (seal->items[at].path == 0)
            return NULL;
    }
}

static int fill_table(struct seal *seal, struct fault *why)
{
    struct seal_cursor cursor = { .at = 0 };
    size_t found = 0;

    for (seal->room = 16; seal->room < 2 * seal->count; seal->room *= 2)
        continue;
    seal->items = arena_pages(seal->room * sizeof *seal->items, false);
    if (!seal->items)
        return fault_errno(why, "no memory for %zu files", seal->count);
    while (found < seal->count && seal_next(seal, &cursor)) {
        uint64_t hash = hash_path(cursor.path);
        size_t at = hash & (seal->room - 1);
        while (seal->items[at].path != 0)
            at = (at + 1) & (seal->room - 1);
        seal->items[at] =
            (struct seal_item){ .path = hash, .content = cursor.content, .size = cursor.size };
        found++;
    }
    return found == seal->count && cursor.at == seal->size ? 0 : -1;
}

/* "root PATH" */
static bool take_root(struct seal *seal, const char *path)
{
    struct roots *roots = &seal->roots;
    size_t size = strlen(path) + 1;

    if (*path != '/' || roots->count == ROOTS_MAX || size > sizeof roots->text - roots->used)
        return false;
    memcpy(roots->text + roots->used, path, size);
    roots->items[roots->count++] = (struct root){ .path = roots->text + roots->used, .stages = 1 };
    roots->used += size;
    return true;
}

/* The lines up to the empty one; moves seal->bytes behind it. */
static bool take_head(struct seal *seal)
{
    const size_t mark = sizeof RELEASE_SEAL - 1;
    char line[SEAL_PATH_MAX + 16];
    bool has_count = false;

    for (int number = 0;; number++) {
        const unsigned char *end = memchr(seal->bytes, '\n', seal->size);
        size_t length = end ? (size_t)(end - seal->bytes) : sizeof line;
        if (length >= sizeof line)
            return false;
        memcpy(line, seal->bytes, length);
        line[length] = '\0';
        seal->bytes += length + 1;
        seal->size -= length + 1;
        if (number == 0) {
            if (strncmp(line, RELEASE_SEAL, mark) != 0 || length - mark >= sizeof seal->release)
                return false;
            memcpy(seal->release, line + mark, length - mark + 1);
        } else if (length == 0) {
            return has_count && seal->roots.count > 0;
        } else if (strncmp(line, "root ", 5) == 0) {
            if (!take_root(seal, line + 5))
                return false;
        } else if (strncmp(line, "files ", 6) == 0) {
            seal->count = strtoul(line + 6, NULL, 10);
            has_count = seal->count <= SEAL_FILES_MAX;
        } else {
            return false;
        }
    }
}

/* Who may write it, may say anything with it. */
static int check_owner(const char *path, const struct stat *st, struct fault *why)
{
    if (!S_ISREG(st->st_mode) || st->st_size > SIZE_MAX_BYTES)
        return fault_set(why, "%s is no seal", path);
    if ((st->st_uid != 0 && st->st_uid != geteuid()) || (st->st_mode & 022) != 0)
        return fault_set(why,
                         "%s may be written by others (owner %u, mode %o), so it proves nothing: "
                         "chown root and chmod 644",
                         path, st->st_uid, st->st_mode & 07777);
    return 0;
}

static int read_file(int fd, const char *path, struct seal *out, struct fault *why)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return fault_errno(why, "%s", path);
    if (check_owner(path, &st, why) < 0)
        return -1;
    unsigned char *bytes = arena_pages((size_t)st.st_size, false);
    if (!bytes)
        return fault_errno(why, "%s", path);
    ssize_t got = fdio_read(fd, bytes, (size_t)st.st_size);
    if (got < 0)
        return fault_errno(why, "%s", path);
    out->bytes = bytes;
    out->size = (size_t)got;
    return 0;
}

int seal_load(const char *path, struct seal *out, struct fault *why)
{
    struct fault unused;

    out->count = out->roots.count = out->roots.used = 0;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
    if (fd < 0)
        return !path || errno == ENOENT ? 1 : fault_errno(why, "%s", path);
    int result = read_file(fd, path, out, why);
    close(fd);
    if (result < 0)
        return -1;
    fault_clear(&unused);
    if (out->size > SEAL_HASH_SIZE) {
        out->size -= SEAL_HASH_SIZE;
        if (hash_bytes(out->bytes, out->size) == number_at(out->bytes + out->size) &&
            take_head(out) && fill_table(out, &unused) == 0)
            return 0;
    }
    return fault_set(why, "%s is cut, changed, or of another version: seal again", path);
}
