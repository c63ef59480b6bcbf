/* Sets times to now; opens nothing, creates nothing. */
#include "stage/touch.h"

#include <fcntl.h>
#include <sys/stat.h>

int touch_file(int dir, const char *name)
{
    const struct timespec now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };

    return utimensat(dir, name, now, AT_SYMLINK_NOFOLLOW);
}
