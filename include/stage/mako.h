/* Is this Python file one that Mako made from a template? */
#ifndef STAGE_MAKO_H
#define STAGE_MAKO_H

#include <stdbool.h>
#include <stddef.h>

/* By its name: "index.html.py" and the like, the only ones worth a look inside. */
bool mako_may_be(const char *name, size_t length);

/* By what it begins with. */
bool mako_is_module(int dir, const char *name);

#endif
