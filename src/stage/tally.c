/*
 * Counts without locks, paths with one. Decides nothing, and tells only progress and dry runs.
 */
#include "stage/tally.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fdio.h"

enum { NAMED_MAX = 5, SHOWN_SIZE = 8 * 1024 };

void tally_open(struct tally *tally)
{
    memset(tally, 0, sizeof *tally);
    pthread_mutex_init(&tally->lock, NULL);
}

static int64_t number_of(const _Atomic int64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

void tally_add(_Atomic int64_t *count, int64_t number)
{
    /* Only one thread writes each, so this need not be one step. */
    atomic_store_explicit(count, number_of(count) + number, memory_order_relaxed);
}

struct tally_counts *tally_of(struct tally *tally, const struct walk_dir *dir, size_t stage)
{
    return &tally->counts[dir->crew][stage];
}

void tally_sum(const struct tally *tally, size_t stage, struct tally_sums *out)
{
    *out = (struct tally_sums){ 0 };
    for (size_t crew = 0; crew < WALK_CREW_MAX; crew++) {
        const struct tally_counts *counts = &tally->counts[crew][stage];
        out->seen += number_of(&counts->seen);
        out->done += number_of(&counts->done);
        out->bytes += number_of(&counts->bytes);
        for (size_t note = 0; note < TALLY_NOTES; note++)
            out->notes[note] += number_of(&counts->notes[note]);
    }
}

static void show_path(const struct walk_dir *dir, const char *name, char *out, size_t size)
{
    char path[SHOWN_SIZE];

    snprintf(path, sizeof path, "%s%s%s%s", dir->path, dir->is_cut ? "/..." : "", name ? "/" : "",
             name ? name : "");
    escape_text(path, out, size);
}

void tally_note(struct tally *tally, const struct walk_dir *dir, const struct tally_kept *what,
                const char *name)
{
    size_t same = 0;
    int error = errno;

    tally_add(&tally_of(tally, dir, what->stage)->notes[what->note], 1);
    pthread_mutex_lock(&tally->lock);
    for (size_t i = 0; i < tally->kept_count; i++)
        same += tally->kept[i].stage == what->stage && tally->kept[i].note == what->note;
    if (same < NAMED_MAX && tally->kept_count < TALLY_KEPT_MAX) {
        struct tally_kept *kept = &tally->kept[tally->kept_count++];
        *kept = *what;
        show_path(dir, name, kept->path, sizeof kept->path);
    }
    pthread_mutex_unlock(&tally->lock);
    errno = error;
}

/* Whoever stops reading the list gets no more of it, and the stage goes on. */
static void flush(struct tally *tally)
{
    if (tally->listed > 0 && fdio_write(STDOUT_FILENO, tally->list, tally->listed) < 0)
        close(STDOUT_FILENO);
    tally->listed = 0;
}

void tally_list(struct tally *tally, const struct walk_dir *dir, const char *name)
{
    char path[SHOWN_SIZE];

    show_path(dir, name, path, sizeof path - 1);
    size_t length = strlen(path);
    if (!name)
        path[length++] = '/';
    pthread_mutex_lock(&tally->lock);
    if (tally->listed + length + 1 > sizeof tally->list)
        flush(tally);
    memcpy(tally->list + tally->listed, path, length);
    tally->list[tally->listed + length] = '\n';
    tally->listed += length + 1;
    pthread_mutex_unlock(&tally->lock);
}

void tally_show(struct tally *tally, const char *line, int64_t now_ms)
{
    /* A terminal that takes no more is asked again the next time. */
    if (fdio_write(STDERR_FILENO, line, strlen(line)) == 0)
        tally->shown_ms = now_ms;
}

void tally_close(struct tally *tally)
{
    static const char wipe[] = "\r\033[K";

    flush(tally);
    if (tally->shown_ms > 0)
        tally_show(tally, wipe, 0);
    pthread_mutex_destroy(&tally->lock);
}
