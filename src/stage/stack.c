/*
 * The stack of a walker: frames, descriptors and the path of the top.
 */
#include "stage/stack.h"

#include <string.h>

size_t stack_end(const struct walker *me)
{
    if (me->depth == 0)
        return 0;
    const struct frame *top = &me->frames[me->depth - 1];
    return top->path_start + top->path_length + 1;
}

bool stack_append(struct walker *me, size_t start, size_t *length, const char *name)
{
    size_t name_length = strlen(name);
    bool has_slash = *length > 0 && me->path[start + *length - 1] == '/';

    if (start + *length + name_length + 2 > sizeof me->path)
        return false;
    if (!has_slash)
        me->path[start + (*length)++] = '/';
    memcpy(me->path + start + *length, name, name_length);
    *length += name_length;
    return true;
}

void stack_push(struct walker *me, const struct frame *made)
{
    struct frame *top = &me->frames[me->depth];
    size_t base = me->depth > 0 ? me->frames[me->depth - 1].end : 0;

    *top = *made;
    top->base = top->next = top->end = base;
    top->dir.path = me->path + top->path_start;
    top->dir.crew = me->number;
    me->path[top->path_start + top->path_length] = '\0';
    if (top->parent)
        me->open++;
    crew_lock(me->crew);
    me->depth++;
    crew_unlock(me->crew);
}

void stack_close_below(struct walker *me, struct frame *below)
{
    struct tree_stat st;
    struct crew *crew = me->crew;

    if (me->open <= crew->open_max || !below->parent ||
        tree_stat(below->dir.fd, "", false, &st) < 0)
        return;
    crew_lock(crew);
    int fd = below->outstanding == 0 ? below->dir.fd : -1;
    if (fd >= 0) {
        below->dir.fd = -1;
        below->device = st.device;
        below->inode = st.inode;
    }
    crew_unlock(crew);
    if (fd < 0)
        return;
    tree_close(fd);
    me->open--;
}

void stack_open_below(struct walker *me, const struct frame *top, struct frame *below)
{
    if (below->dir.fd >= 0 || below->is_lost)
        return;
    int fd = top->dir.fd < 0 ? -1 : tree_parent(top->dir.fd, below->device, below->inode);
    if (fd < 0 || tree_seek(fd, below->position) < 0) {
        tree_close(fd);
        below->is_lost = true;
        me->crew->calls->failed(me->crew->context, &below->dir, NULL);
        return;
    }
    crew_lock(me->crew);
    below->dir.fd = fd;
    crew_unlock(me->crew);
    me->open++;
}

void stack_pop(struct walker *me, bool is_gone)
{
    struct crew *crew = me->crew;
    struct frame *top = &me->frames[me->depth - 1];
    struct frame *parent = top->parent;

    if (parent) {
        if (top->dir.fd >= 0)
            me->open--;
        tree_close(top->dir.fd);
        if (top->is_stolen && top->above != crew->root)
            tree_close(top->above);
    }
    crew_lock(crew);
    me->depth--;
    crew_unlock(crew);
    if (parent)
        crew_count(crew, parent, is_gone, top->is_stolen);
    if (me->depth > 0) {
        const struct frame *below = &me->frames[me->depth - 1];
        me->path[below->path_start + below->path_length] = '\0';
    }
}
