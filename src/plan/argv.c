/*
 * Reads the command line, by the table of options.
 */
#include "plan/argv.h"

#include <stdio.h>
#include <string.h>

#include "base/exitcode.h"
#include "base/signame.h"
#include "base/text.h"
#include "plan/guess.h"
#include "plan/options.h"

enum { EXIT_STATUS_MAX = 255, TINI_EXIT_USAGE = 1, WORD_SIZE = 32 };

/* The state of one reading. */
struct reading {
    char *const *next; /* of argv */
    struct call *call;
    const struct subcommand *subcommand;
    bool is_seen[OPTIONS_MAX];
    struct fault *why;
};

static int take_rewrite(struct init_plan *init, const char *text, struct fault *why)
{
    const char *colon = strchr(text, ':');
    char left[16] = "";
    int from = 0;
    int to = 0;
    bool is_dropped = colon && strcmp(colon + 1, "0") == 0;

    if (colon && (size_t)(colon - text) < sizeof left) {
        memcpy(left, text, (size_t)(colon - text));
        from = signame_number(left);
        to = is_dropped ? 0 : signame_number(colon + 1);
    }
    if (from == 0 || (to == 0 && !is_dropped))
        return fault_set(why, "--rewrite %s: write --rewrite INT:TERM, or USR1:0 to drop it", text);
    init->rewrite[from] = (unsigned char)to;
    init->is_rewritten[from] = true;
    return 0;
}

static int add_set(struct call *call, const struct set_option *set, struct fault *why)
{
    if (call->set_count == SETS_MAX)
        return fault_set(why, "--%s: there can be at most %d such options", set->option, SETS_MAX);
    call->sets[call->set_count++] = *set;
    return 0;
}

static int take_set(struct call *call, const char *text, struct fault *why)
{
    const char *equals = strchr(text, '=');

    if (!equals || !memchr(text, '.', (size_t)(equals - text)))
        return fault_set(why, "--set %s: write --set SECTION.KEY=VALUE, like server.umask=027",
                         text);
    return add_set(call, &(struct set_option){ .option = "set", .key = text, .value = equals + 1 },
                   why);
}

static int take_signal(int *out, const char *text, struct fault *why)
{
    *out = signame_number(text);
    if (*out == 0)
        return fault_set(why, "-p %s: there is no such signal", text);
    return 0;
}

static int take_code(bool *codes, const char *text, struct fault *why)
{
    struct fault detail;
    int64_t code;

    fault_clear(&detail);
    if (text_number(text, 0, EXIT_STATUS_MAX, &code, &detail) < 0)
        return fault_set(why, "-e %s", fault_line(&detail, 0));
    codes[code] = true;
    return 0;
}

static int take_letter(struct reading *reading, char letter, const char *value)
{
    struct call *call = reading->call;

    switch (letter) {
    case 's':
        call->init.subreaper = true;
        return 0;
    case 'p':
        return take_signal(&call->init.parent_signal, value, reading->why);
    case 'g':
        call->init.group = true;
        return 0;
    case 'e':
        return take_code(call->init.success_codes, value, reading->why);
    case 'v':
        call->verbosity++;
        return 0;
    case 'w':
        call->init.warn_zombies = true;
        return 0;
    case 'h':
        call->wants_help = true;
        return 0;
    default:
        call->wants_version = true;
        return 0;
    }
}

static int take_name(struct reading *reading, const char *name, const char *value)
{
    struct call *call = reading->call;
    const struct {
        const char *name;
        bool *flag;
    } flags[] = { { "no-stages", &call->no_stages },
                  { "single-child", &call->init.single_child },
                  { "dry-run", &call->is_dry },
                  { "json", &call->is_json },
                  { "version", &call->wants_version } };

    for (size_t i = 0; i < COUNT(flags); i++)
        if (strcmp(name, flags[i].name) == 0)
            *flags[i].flag = true;
    if (!value)
        return 0;
    if (strcmp(name, "config") == 0)
        call->config = value;
    if (strcmp(name, "grace") == 0)
        call->grace = value;
    if (strcmp(name, "set") == 0)
        return take_set(call, value, reading->why);
    if (strcmp(name, "rewrite") == 0)
        return take_rewrite(&call->init, value, reading->why);
    return 0;
}

static int take(struct reading *reading, const struct option *option, const char *value)
{
    reading->is_seen[options_index(option)] = true;
    if (option->key)
        return add_set(reading->call,
                       &(struct set_option){
                           .option = option->name, .key = option->key, .value = value },
                       reading->why);
    if (option->letter != 0)
        return take_letter(reading, option->letter, value);
    return take_name(reading, option->name, value);
}

static bool is_usable(const struct reading *reading, const struct option *option)
{
    return !reading->call->init.is_tini || (option->where & OPTION_TINI) != 0;
}

static int unknown_option(const struct reading *reading, const char *written)
{
    struct guess guess;
    int length = (int)strcspn(written, "=");
    char name[WORD_SIZE];
    const struct option *option;

    snprintf(name, sizeof name, "%.*s", length - 2, written + 2);
    guess_start(&guess, name);
    for (size_t i = 0; (option = options_at(i)); i++)
        if (option->name && is_usable(reading, option))
            guess_offer(&guess, option->name);
    bool is_near = guess.best[0] != '\0';
    return fault_set(reading->why, "unknown option %.*s%s%s%s", length, written,
                     is_near ? ", did you mean --" : "", guess.best, is_near ? "?" : "");
}

/* "--name", "--name=value", "--name value". */
static int read_long(struct reading *reading, const char *written)
{
    const char *name = written + 2;
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    const struct option *option;

    for (size_t i = 0; (option = options_at(i)); i++) {
        if (!option->name || strlen(option->name) != length ||
            memcmp(option->name, name, length) != 0 || !is_usable(reading, option))
            continue;
        if (!option->argument && value)
            return fault_set(reading->why, "--%s takes no value", option->name);
        if (option->argument && !value && !(value = *reading->next++)) {
            reading->next--;
            return fault_set(reading->why, "--%s needs %s", option->name, option->argument);
        }
        return take(reading, option, value);
    }
    return unknown_option(reading, written);
}

/* "-gv", "-e143", "-e 143". */
static int read_short(struct reading *reading, const char *written)
{
    for (const char *letter = written + 1; *letter != '\0'; letter++) {
        const struct option *option;
        for (size_t i = 0; (option = options_at(i)); i++)
            if (option->letter == *letter && is_usable(reading, option))
                break;
        /* -l is tini's alone. */
        if (!option || (option->where == OPTION_TINI && !reading->call->init.is_tini))
            return fault_set(reading->why, "unknown option -%c", *letter);
        if (!option->argument) {
            if (take(reading, option, NULL) < 0)
                return -1;
            continue;
        }
        const char *value = letter + 1;
        if (*value == '\0' && !(value = *reading->next++)) {
            reading->next--;
            return fault_set(reading->why, "-%c needs %s", *letter, option->argument);
        }
        return take(reading, option, value);
    }
    return 0;
}

/* Reads options up to the first word, or behind "--". */
static int read_options(struct reading *reading, bool *out_is_end)
{
    const char *word;

    *out_is_end = false;
    while ((word = *reading->next) && word[0] == '-' && word[1] != '\0') {
        reading->next++;
        if (strcmp(word, "--") == 0) {
            *out_is_end = true;
            return 0;
        }
        if ((word[1] == '-' ? read_long(reading, word) : read_short(reading, word)) < 0)
            return -1;
    }
    return 0;
}

/* Words and options behind a subcommand, in any order. */
static int read_words(struct reading *reading)
{
    struct call *call = reading->call;
    bool is_end = false;

    while (*reading->next) {
        if (!is_end && read_options(reading, &is_end) < 0)
            return -1;
        if (!*reading->next)
            break;
        if (call->word_count == WORDS_MAX)
            return fault_set(reading->why, "there are more than %d words", WORDS_MAX);
        call->kept[call->word_count++] = *reading->next++;
    }
    call->words = call->kept;
    if (call->word_count > 0 && !reading->subcommand->words)
        return fault_set(reading->why, "%s takes no words, but there is \"%s\"",
                         reading->subcommand->name, call->kept[0]);
    return 0;
}

static int check_places(const struct reading *reading)
{
    const struct subcommand *subcommand = reading->subcommand;
    const struct option *option;

    for (size_t i = 0; (option = options_at(i)); i++) {
        if (!reading->is_seen[i] || reading->call->init.is_tini || options_fits(option, subcommand))
            continue;
        const char letter[] = { option->letter, '\0' };
        return fault_set(reading->why, "%s%s is no option of %s", option->name ? "--" : "-",
                         option->name ? option->name : letter,
                         subcommand ? subcommand->name : "a start; write it behind a subcommand");
    }
    return 0;
}

static int read_all(struct reading *reading)
{
    struct call *call = reading->call;
    bool is_end;

    if (read_options(reading, &is_end) < 0)
        return -1;
    if (!is_end && *reading->next && !call->init.is_tini)
        reading->subcommand = options_subcommand(*reading->next);
    if (reading->subcommand) {
        call->subcommand = reading->subcommand->name;
        reading->next++;
        if (read_words(reading) < 0)
            return -1;
        return check_places(reading);
    }
    call->is_explicit = is_end;
    call->words = reading->next;
    while (call->words[call->word_count])
        call->word_count++;
    return check_places(reading);
}

int argv_read(int argc, char *const *argv, struct call *out, struct fault *why)
{
    struct reading reading = { .next = argv + (argc > 0 ? 1 : 0), .call = out, .why = why };
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = argc == 0 ? "" : slash ? slash + 1 : argv[0];

    *out = (struct call){ 0 };
    out->init.is_tini = strcmp(name, "tini") == 0 || strcmp(name, "docker-init") == 0 ||
                        strcmp(name, "tini-static") == 0;
    /* tini begins with warnings, and each -v adds one. */
    out->verbosity = out->init.is_tini ? 1 : 0;
    if (read_all(&reading) == 0)
        return 0;
    fault_code(why, out->init.is_tini ? TINI_EXIT_USAGE : EXIT_USAGE);
    return -1;
}
