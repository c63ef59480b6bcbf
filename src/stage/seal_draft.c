/*
 * Collects files, sorts them by path, writes them as a seal.
 */
#include "stage/seal_draft.h"

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
#include "stage/seal.h"
#include "stage/siphash.h"

enum { TEXT_MAX = 128 * 1024 * 1024, BLOCK_SIZE = 64 * 1024 };

int seal_draft_open(struct seal_draft *draft, struct fault *why)
{
    draft->count = draft->used = 0;
    draft->entries = arena_pages(SEAL_FILES_MAX * sizeof *draft->entries, false);
    draft->text = arena_pages(TEXT_MAX, false);
    if (!draft->entries || !draft->text)
        return fault_errno(why, "no memory");
    return 0;
}

int seal_draft_add(struct seal_draft *draft, const struct seal_entry *entry, struct fault *why)
{
    size_t length = strlen(entry->path) + 1;

    if (draft->count == SEAL_FILES_MAX || length > TEXT_MAX - draft->used)
        return fault_set(why, "there are more than %d files to seal", SEAL_FILES_MAX);
    char *copy = draft->text + draft->used;
    memcpy(copy, entry->path, length);
    draft->used += length;
    draft->entries[draft->count] = *entry;
    draft->entries[draft->count++].path = copy;
    return 0;
}

static int compare_entries(const void *left, const void *right)
{
    const struct seal_entry *one = left;
    const struct seal_entry *other = right;

    return strcmp(one->path, other->path);
}

/* What is on its way to the file. */
struct sink {
    int fd;
    int error;
    struct siphash hash;
    size_t used;
    unsigned char room[BLOCK_SIZE];
};

static void sink_flush(struct sink *sink)
{
    siphash_feed(&sink->hash, sink->room, sink->used);
    if (sink->error == 0 && fdio_write(sink->fd, sink->room, sink->used) < 0)
        sink->error = errno;
    sink->used = 0;
}

static void sink_add(struct sink *sink, const void *data, size_t size)
{
    if (size > sizeof sink->room - sink->used)
        sink_flush(sink);
    memcpy(sink->room + sink->used, data, size);
    sink->used += size;
}

static void sink_line(struct sink *sink, const char *name, const char *value)
{
    sink_add(sink, name, strlen(name));
    sink_add(sink, value, strlen(value));
    sink_add(sink, "\n", 1);
}

static void sink_number(struct sink *sink, uint32_t value)
{
    for (; value > 0x7f; value >>= 7)
        sink_add(sink, &(unsigned char){ (unsigned char)(value | 0x80) }, 1);
    sink_add(sink, &(unsigned char){ (unsigned char)value }, 1);
}

static void sink_hash(struct sink *sink, uint64_t value)
{
    for (int i = 0; i < SEAL_HASH_SIZE; i++, value >>= 8)
        sink_add(sink, &(unsigned char){ (unsigned char)value }, 1);
}

static void sink_entries(struct sink *sink, const struct seal_draft *draft)
{
    const char *before = "";

    for (size_t i = 0; i < draft->count; i++) {
        const struct seal_entry *entry = &draft->entries[i];
        size_t shared = 0;
        while (before[shared] != '\0' && before[shared] == entry->path[shared])
            shared++;
        size_t more = strlen(entry->path) - shared;
        sink_number(sink, (uint32_t)shared);
        sink_number(sink, (uint32_t)more);
        sink_add(sink, entry->path + shared, more);
        sink_number(sink, entry->size);
        sink_hash(sink, entry->content);
        before = entry->path;
    }
}

/* Roots that lie in one another name a file twice. */
static void drop_doubles(struct seal_draft *draft)
{
    size_t kept = 0;

    for (size_t i = 0; i < draft->count; i++)
        if (i == 0 || strcmp(draft->entries[i].path, draft->entries[kept - 1].path) != 0)
            draft->entries[kept++] = draft->entries[i];
    draft->count = kept;
}

int seal_draft_write(struct seal_draft *draft, const char *path, const char *release,
                     const struct roots *roots, struct fault *why)
{
    struct sink sink = { .used = 0 };
    char count[32];

    qsort(draft->entries, draft->count, sizeof *draft->entries, compare_entries);
    drop_doubles(draft);
    sink.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0644);
    if (sink.fd < 0)
        return fault_errno(why, "%s", path);
    siphash_start(&sink.hash, SIPHASH_13, SEAL_KEY);
    sink_line(&sink, RELEASE_SEAL, release);
    for (size_t i = 0; i < roots->count; i++)
        sink_line(&sink, "root ", roots->items[i].path);
    snprintf(count, sizeof count, "%zu", draft->count);
    sink_line(&sink, "files ", count);
    sink_line(&sink, "", "");
    sink_entries(&sink, draft);
    sink_flush(&sink);
    sink_hash(&sink, siphash_end(&sink.hash));
    sink_flush(&sink);
    if (sink.error == 0 && fchmod(sink.fd, 0644) < 0)
        sink.error = errno;
    if (close(sink.fd) < 0 && sink.error == 0)
        sink.error = errno;
    errno = sink.error;
    return sink.error == 0 ? 0 : fault_errno(why, "%s", path);
}
