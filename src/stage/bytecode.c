/* Facts about one bytecode file and its source, for pyc.c. Removes nothing, writes nothing. */
#include "stage/bytecode.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"

enum { HASH_ROOM = 64 * 1024 };

struct source {
    int dir;
    char path[PATH_MAX + NAME_MAX];
    bool exists;
    bool is_link;
    struct tree_stat stat;
    const struct bytecode_place *place; /* where the bytecode is, */
    const char *name;                   /* and its name */
    size_t stem_length;
};

static bool is_missing(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG;
}

static void take_later(struct timespec *time, struct timespec other)
{
    if (birth_is_later(other, *time))
        *time = other;
}

/* A link on the way that was changed leads to another file, whose own times tell nothing of it. */
static void add_links(struct source *source)
{
    struct tree_stat st;

    for (char *at = source->path + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        if (tree_stat(source->dir, source->path, false, &st) == 0 && S_ISLNK(st.mode))
            take_later(&source->stat.changed, st.changed);
        *at = '/';
    }
}

static int find_source(const struct bytecode_place *place, const struct tree_entry *entry,
                       const struct pyc_name *name, struct source *out)
{
    out->dir = place->dir;
    out->exists = false;
    out->is_link = false;
    size_t before = strlen(place->sources);
    if (before + name->stem_length + sizeof ".py" > sizeof out->path)
        return 0;
    memcpy(out->path, place->sources, before);
    memcpy(out->path + before, entry->name, name->stem_length);
    memcpy(out->path + before + name->stem_length, ".py", sizeof ".py");
    if (tree_stat(out->dir, out->path, false, &out->stat) < 0)
        return is_missing(errno) ? 0 : -1;
    if (S_ISLNK(out->stat.mode)) {
        struct timespec changed = out->stat.changed;
        if (tree_stat(out->dir, out->path, true, &out->stat) < 0)
            return is_missing(errno) ? 0 : -1;
        out->is_link = true;
        take_later(&out->stat.changed, changed);
    }
    out->exists = S_ISREG(out->stat.mode);
    if (out->exists && place->is_prefix)
        add_links(out);
    return 0;
}

static bool hash_source(void *context, enum siphash_kind kind, uint64_t key, uint64_t *out)
{
    const struct source *source = context;
    char room[HASH_ROOM];
    struct siphash hash;
    ssize_t got;

    int fd = tree_file(source->dir, source->path, source->is_link);
    if (fd < 0)
        return false;
    siphash_start(&hash, kind, key);
    while ((got = fdio_read(fd, room, sizeof room)) > 0)
        siphash_feed(&hash, room, (size_t)got);
    tree_close(fd);
    if (got == 0)
        *out = siphash_end(&hash);
    return got == 0;
}

/* The sealed item of the source. */
static const struct seal_item *find_sealed_source(const struct source *source)
{
    const struct bytecode_place *place = source->place;
    size_t length = strlen(place->path);
    char path[SEAL_PATH_MAX];

    while (place->in_cache && length > 0 && place->path[length - 1] != '/')
        length--;
    int size = snprintf(path, sizeof path, "%.*s%s%.*s.py", (int)length, place->path,
                        place->in_cache ? "" : "/", (int)source->stem_length, source->name);
    return size > 0 && (size_t)size < sizeof path ? seal_find(place->seal, path) : NULL;
}

static int hold_against_seal(void *context)
{
    const struct source *source = context;
    const struct bytecode_place *place = source->place;
    char path[SEAL_PATH_MAX];

    int size = snprintf(path, sizeof path, "%s/%s", place->path, source->name);
    if (size < 0 || (size_t)size >= sizeof path || source->is_link)
        return -1;
    const struct seal_item *bytecode = seal_find(place->seal, path);
    const struct seal_item *made_from = bytecode ? find_sealed_source(source) : NULL;
    /* Bytecode that was written since is judged by its times. */
    if (!made_from || seal_matches(bytecode, place->dir, source->name) != 1)
        return -1;
    return seal_matches(made_from, source->dir, source->path);
}

/* Unpacking layers shuffles ctimes, so for what came with the image they tell nothing. */
static bool is_from_image(const struct birth *birth, const struct tree_stat *st)
{
    return birth->is_known && st->mount == birth->mount && birth_is_later(birth->at, st->changed);
}

/* When the bytecode was written, at the latest. On another mount than its source it may have been
 * written beside another release, unless this container alone can have done it. */
static struct timespec written_at(const struct bytecode_place *place, const struct tree_stat *st,
                                  const struct source *source)
{
    const struct birth *birth = place->birth;
    struct timespec written =
        birth_is_later(st->modified, st->changed) ? st->changed : st->modified;

    if (birth_is_later(written, birth->latest))
        return (struct timespec){ 0 };
    if (!place->is_prefix || (st->mount != 0 && st->mount == source->stat.mount))
        return written;
    if (birth->is_known && st->mount == birth->mount && !birth_is_later(birth->at, written))
        return written;
    return (struct timespec){ 0 };
}

int bytecode_has_source(const struct bytecode_place *place, const struct tree_entry *entry,
                        const struct pyc_name *name, bool *has_source)
{
    struct source source;

    if (find_source(place, entry, name, &source) < 0)
        return -1;
    *has_source = source.exists;
    return 0;
}

int bytecode_judge(const struct bytecode_place *place, const struct tree_entry *entry,
                   const struct pyc_name *name, enum pyc_verdict *verdict, int64_t *size)
{
    unsigned char head[PYC_HEAD];
    struct tree_stat st;
    struct source source;

    int fd = tree_file(place->dir, entry->name, false);
    if (fd < 0 && errno == ELOOP) {
        if (find_source(place, entry, name, &source) < 0)
            return -1;
        /* Python writes no links, and what one leads to can be changed without a trace here. One
         * that has no source may be the application, as in a ConfigMap. */
        *verdict = place->in_cache || source.exists ? PYC_MISMATCH : PYC_SOURCELESS;
        *size = 0;
        return 0;
    }
    if (fd < 0)
        return -1;
    int result = tree_stat(fd, "", false, &st);
    ssize_t got = result == 0 && S_ISREG(st.mode) ? fdio_read(fd, head, sizeof head) : 0;
    tree_close(fd);
    if (result < 0 || got < 0 || find_source(place, entry, name, &source) < 0)
        return -1;
    source.place = place;
    source.name = entry->name;
    source.stem_length = name->stem_length;
    struct pyc_facts facts = {
        .name = *name,
        .in_cache = place->in_cache,
        .head = head,
        .head_size = (size_t)got,
        .has_source = source.exists,
        .sealed = place->seal && place->path && !place->is_prefix ? hold_against_seal : NULL,
        .hash = hash_source,
        .context = &source,
    };
    if (source.exists) {
        facts.source_mtime = (uint32_t)source.stat.modified.tv_sec;
        facts.source_size = (uint32_t)source.stat.size;
        facts.source_changed = source.stat.changed;
        facts.written = written_at(place, &st, &source);
        facts.trusts_mtime =
            is_from_image(place->birth, &st) && is_from_image(place->birth, &source.stat);
    }
    *verdict = pyc_verdict(&facts);
    *size = st.size;
    return 0;
}
