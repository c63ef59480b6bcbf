/*
 * The configuration that freshinit has without a file, and where it does not hold.
 */
#include "plan/builtin.h"

#include <string.h>

#include "base/attr.h"

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

/* The roots that design.md refuses, by name alone: here they are only a reason to do nothing. */
bool builtin_is_system(const char *folder)
{
    static const char *const exact[] = {
        "/",          "/bin",     "/sbin",      "/usr",           "/usr/bin",
        "/usr/sbin",  "/usr/lib", "/usr/local", "/usr/local/bin", "/usr/local/lib",
        "/usr/share", "/var",     "/var/lib"
    };
    static const char *const below[] = { "/proc", "/sys", "/dev", "/boot", "/etc" };

    for (size_t i = 0; i < COUNT(exact); i++)
        if (strcmp(folder, exact[i]) == 0)
            return true;
    for (size_t i = 0; i < COUNT(below); i++) {
        size_t length = strlen(below[i]);
        if (strncmp(folder, below[i], length) == 0 && strchr("/", folder[length]))
            return true;
    }
    /* /lib, /lib64, /libx32 */
    return strncmp(folder, "/lib", 4) == 0 && !strchr(folder + 4, '/');
}
