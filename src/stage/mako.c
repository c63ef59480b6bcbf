/* Mako's compiled templates, known by their own first lines, never by a name alone. */
#include "stage/mako.h"

#include <string.h>

#include "base/fdio.h"
#include "stage/tree.h"

bool mako_may_be(const char *name, size_t length)
{
    if (length < 6 || memcmp(name + length - 3, ".py", 3) != 0)
        return false;
    return memchr(name + 1, '.', length - 4);
}

bool mako_is_module(int dir, const char *name)
{
    char head[1024];
    int fd = tree_file(dir, name, false);

    if (fd < 0)
        return false;
    ssize_t got = fdio_read(fd, head, sizeof head - 1);
    tree_close(fd);
    if (got <= 0)
        return false;
    head[got] = '\0';
    /* Both are in the first lines of every module that Mako has written since 0.3. */
    const char *import = strstr(head, "from mako import runtime");
    return import && import - head < 64 && strstr(import, "\n_magic_number = ");
}
