/* A plan out of texts: what stands in t.ini, on the command line and in the environment. */
#ifndef TESTS_PLANNED_H
#define TESTS_PLANNED_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "plan/argv.h"
#include "plan/build.h"

struct planned {
    struct plan *plan;
    struct call call;
    struct fault why;
    char *argv[64]; /* what the call points to */
};

/* An array of words that ends with NULL. */
#define WORDS(...) ((char *[]){ __VA_ARGS__, NULL })
#define NO_WORDS ((char *[]){ NULL })

static inline void planned_write(const char *path, const char *text, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), (ssize_t)length);
    close(fd);
}

/* All files of a test lie in a folder of its own, which is the working directory. */
static inline int planned_setup(void **state)
{
    static char folder[] = "/tmp/freshinit-test-XXXXXX";

    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static inline int planned_teardown(void **state)
{
    char folder[64];

    (void)state;
    if (!getcwd(folder, sizeof folder))
        return -1;
    (void)unlink("t.ini");
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

/* `arguments` are those behind the program's name. */
static inline void planned_make(struct planned *out, const char *text, char **arguments,
                                char **environment)
{
    static char name[] = "freshinit";
    int argc = 0;

    memset(out->argv, 0, sizeof out->argv);
    out->argv[argc++] = name;
    for (; *arguments; arguments++)
        out->argv[argc++] = *arguments;
    fault_clear(&out->why);
    assert_int_equal(arena_open(&out->why), 0);
    assert_int_equal(argv_read(argc, out->argv, &out->call, &out->why), 0);
    if (text) {
        planned_write("t.ini", text, strlen(text));
        out->call.config = "t.ini";
    }
    out->plan = build_plan(&out->call, environment, &out->why);
}

static inline const struct stage_plan *planned_stage(const struct planned *planned,
                                                     const char *name)
{
    for (size_t i = 0; i < planned->plan->stage_count; i++)
        if (strcmp(planned->plan->stages[i].name, name) == 0)
            return &planned->plan->stages[i];
    fail_msg("no stage %s", name);
    return NULL;
}

/* Is there a fault with this in it? Prints them all where there is none. */
static inline bool planned_has_fault(const struct fault *why, const char *part)
{
    const char *line;

    for (size_t i = 0; (line = fault_line(why, i)); i++)
        if (strstr(line, part))
            return true;
    print_message("looked for: %s\n", part);
    for (size_t i = 0; (line = fault_line(why, i)); i++)
        print_message("     found: %s\n", line);
    return false;
}

#endif
