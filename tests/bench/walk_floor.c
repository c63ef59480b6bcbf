/*
 * The floor that the file stages are held against: the plainest single-threaded walk that a C
 * programmer would write to clear bytecode. `walk_floor DIR` takes everything in its way;
 * with `prune` as second word it does not go into .git, node_modules and installed packages.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool does_prune;

static bool is_pruned(const char *name)
{
    return strcmp(name, ".git") == 0 || strcmp(name, "node_modules") == 0 ||
           strcmp(name, "site-packages") == 0 || strcmp(name, "dist-packages") == 0;
}

static void walk(int parent, const char *name, bool takes_all)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir))) {
        size_t length = strlen(entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (entry->d_type == DT_DIR) {
            bool is_cache = strcmp(entry->d_name, "__pycache__") == 0;
            if (does_prune && is_pruned(entry->d_name))
                continue;
            walk(fd, entry->d_name, takes_all || is_cache);
            if (takes_all || is_cache)
                unlinkat(fd, entry->d_name, AT_REMOVEDIR);
        } else if (takes_all || (length > 4 && (strcmp(entry->d_name + length - 4, ".pyc") == 0 ||
                                                strcmp(entry->d_name + length - 4, ".pyo") == 0))) {
            unlinkat(fd, entry->d_name, 0);
        }
    }
    closedir(dir);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    does_prune = argc > 2;
    walk(AT_FDCWD, argv[1], false);
    return 0;
}
