/* The command line: options, a subcommand, and the words after them. */
#ifndef PLAN_ARGV_H
#define PLAN_ARGV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"
#include "plan/plan.h"

enum { SETS_MAX = 64, WORDS_MAX = 64 };

/* "--set SECTION.KEY=VALUE", or an option that stands for one ("--user", "--log"). */
struct set_option {
    const char *option; /* its name without the dashes, for faults and for `check` */
    const char *key;    /* "server.umask", "stage.bytecode.mode", up to a NUL or an equals sign */
    const char *value;
};

struct call {
    const char *subcommand; /* NULL: run the stages, then the command */
    char *const *words;     /* the command, or the words after the subcommand; ends with NULL */
    size_t word_count;
    bool is_explicit;   /* they stand behind "--" */
    const char *config; /* --config */
    const char *grace;  /* verify --grace */
    bool no_stages;
    bool wants_help; /* --help, of the subcommand where there is one */
    bool wants_version;
    bool is_dry;   /* clean --dry-run */
    bool is_json;  /* status, verify: --json */
    int verbosity; /* -v, counted */
    struct init_plan init;
    struct set_option sets[SETS_MAX];
    size_t set_count;
    char *kept[WORDS_MAX + 1]; /* what words of a subcommand points to: not to be copied */
};

/* Called by the name tini or docker-init it knows tini's options and no others. A fault here is one
 * of usage (EXIT_USAGE; 1 for tini). */
MUST_USE int argv_read(int argc, char *const *argv, struct call *out, struct fault *why);

#endif
