/* The container's birth, from signs that a restart does not move. Changes nothing. */
#include "stage/birth.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "stage/tree.h"

/* The clock of a file server may be ahead of ours, and files are written while we look. */
enum { AHEAD_S = 60 };

bool birth_is_later(struct timespec left, struct timespec right)
{
    return left.tv_sec != right.tv_sec ? left.tv_sec > right.tv_sec : left.tv_nsec > right.tv_nsec;
}

/*
 * Two signs, each no later than the first process. The inode of `/` is made with the container
 * (overlay: the upper layer's own), and its birth time can't be set: what changed before it can't
 * have been changed through this `/`. Where the file system keeps no birth time (fuse-overlayfs),
 * Docker's /.dockerenv, which is made with the container too; a chown moves only its ctime.
 */
void birth_find(struct birth *out)
{
    struct tree_stat root;
    struct tree_stat mark;

    *out = (struct birth){ .latest.tv_sec = (time_t)(clock_wall_ms() / 1000 + AHEAD_S) };
    if (tree_stat(AT_FDCWD, "/", false, &root) < 0 || root.mount == 0)
        return;
    out->mount = root.mount;
    out->at = root.born;
    if (tree_stat(AT_FDCWD, "/.dockerenv", false, &mark) == 0 && S_ISREG(mark.mode) &&
        mark.mount == root.mount) {
        struct timespec made =
            birth_is_later(mark.modified, mark.changed) ? mark.changed : mark.modified;
        if (birth_is_later(made, out->at))
            out->at = made;
    }
    out->is_known = out->at.tv_sec > 0;
}
