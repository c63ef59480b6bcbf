/* The folders that nothing is ever cleared in, for whoever checks a root by name or by inode. */
#ifndef PLAN_FOLDERS_H
#define PLAN_FOLDERS_H

#include <stdbool.h>

/* Each list ends with NULL. */
extern const char *const folders_closed[]; /* with all that is below */
extern const char *const folders_system[]; /* themselves alone */
extern const char *const folders_kept[];   /* may be cleared, but never emptied as a whole */

/* The folder of the list that `path` is. NULL: none. */
const char *folders_find(const char *const *list, const char *path);

/* In the list of the system, or any other /lib*, such as /libx32. */
bool folders_is_system(const char *path);

/* The folder of the list that `path` is or is below. NULL: none. */
const char *folders_above(const char *const *list, const char *path);

#endif
