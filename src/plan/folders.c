/* Owns the names of the system's folders. Opens none. */
#include "plan/folders.h"

#include <stddef.h>
#include <string.h>

const char *const folders_closed[] = { "/proc", "/sys", "/dev", "/boot", "/etc", NULL };

const char *const folders_system[] = {
    "/",          "/bin",       "/lib",           "/lib32",         "/lib64",
    "/libx32",    "/sbin",      "/usr",           "/usr/bin",       "/usr/sbin",
    "/usr/lib",   "/usr/local", "/usr/share",     "/var",           "/var/lib",
    "/usr/lib32", "/usr/lib64", "/usr/local/bin", "/usr/local/lib", NULL
};

const char *const folders_kept[] = { "/home", "/opt", "/srv", "/root", "/run", NULL };

const char *folders_find(const char *const *list, const char *path)
{
    for (; *list; list++)
        if (strcmp(path, *list) == 0)
            return *list;
    return NULL;
}

bool folders_is_system(const char *path)
{
    return folders_find(folders_system, path) ||
           (strncmp(path, "/lib", 4) == 0 && !strchr(path + 4, '/'));
}

const char *folders_above(const char *const *list, const char *path)
{
    for (; *list; list++) {
        size_t same = 0;
        while (path[same] != '\0' && path[same] == (*list)[same])
            same++;
        if ((*list)[same] == '\0' && (path[same] == '\0' || path[same] == '/'))
            return *list;
    }
    return NULL;
}
