/* What may stand on the command line, for the parser and for the help. */
#ifndef PLAN_OPTIONS_H
#define PLAN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum { OPTIONS_MAX = 32 };

/* Where an option may stand. The bits of subcommands follow the rows of their table. */
enum {
    OPTION_RUN = 1,  /* stages, then the command */
    OPTION_TINI = 2, /* called as tini */
    OPTION_SUBCOMMAND = 4
};

struct option {
    char letter;          /* 0: none */
    const char *name;     /* NULL: none */
    const char *argument; /* in words, for the help; NULL: takes none */
    const char *key;      /* the key that it stands for, or NULL */
    unsigned where;
    const char *help;
};

struct subcommand {
    const char *name;
    const char *words; /* in words, "[TARGET...]"; NULL: takes none */
    const char *help;
};

/* The rows, for the help; NULL after the last one. */
const struct option *options_at(size_t index);
const struct subcommand *options_subcommand_at(size_t index);

/* The number of a row that options_at gave. */
size_t options_index(const struct option *option);

/* Whether an option may stand there: `subcommand` NULL is the run. */
bool options_fits(const struct option *option, const struct subcommand *subcommand);

/* The row of a name, or NULL. */
const struct subcommand *options_subcommand(const char *name);

#endif
