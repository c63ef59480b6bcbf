/*
 * The configuration that freshinit has without a file, and where it does not hold.
 */
#include "plan/builtin.h"

#include "plan/folders.h"

static const char text[] = "[stage bytecode]\n"
                           "clear = bytecode\n"
                           "in = . /tmp/__pycache__\n"
                           "when = build start reload\n"
                           "[stage jinja]\n"
                           "clear = jinja\n"
                           "in = . /tmp\n"
                           "when = build start reload\n";

struct inifile builtin_file(void)
{
    return (struct inifile){ .name = "built-in", .text = text, .length = sizeof text - 1 };
}

/* Elsewhere a configuration error; here it is only a reason to do nothing. */
bool builtin_is_system(const char *folder)
{
    return folders_is_system(folder) || folders_above(folders_closed, folder);
}
