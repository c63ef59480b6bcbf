/*
 * Reads the command line. The tables of options and subcommands are here, so that parser and help
 * can't differ.
 */
#include "plan/argv.h"

#include <stdio.h>
#include <string.h>

#include "base/exitcode.h"
#include "base/signame.h"
#include "base/text.h"
#include "plan/guess.h"

enum { EXIT_STATUS_MAX = 255, TINI_EXIT_USAGE = 1, WORD_SIZE = 32 };

/* One bit for each row of the table of subcommands. */
enum {
    AT_CLEAN = OPTION_SUBCOMMAND << 0,
    AT_CHECK = OPTION_SUBCOMMAND << 1,
    AT_STATUS = OPTION_SUBCOMMAND << 2,
    AT_HEALTH = OPTION_SUBCOMMAND << 3,
    AT_RELOAD = OPTION_SUBCOMMAND << 4,
    AT_SEAL = OPTION_SUBCOMMAND << 5,
    AT_VERIFY = OPTION_SUBCOMMAND << 6
};
#define AT_PLAN (OPTION_RUN | AT_CLEAN | AT_CHECK)
#define AT_START (OPTION_RUN | OPTION_TINI)
/* What looks at a freshinit that runs. */
#define AT_LOOK (AT_STATUS | AT_HEALTH | AT_RELOAD | AT_SEAL | AT_VERIFY)
#define AT_ALL (OPTION_RUN | OPTION_TINI | AT_CLEAN | AT_CHECK | AT_LOOK)

static const struct subcommand subcommands[] = {
    { "clean", "[TARGET...]", "Run the stages for build time (when = build), then exit" },
    { "check", NULL, "Read the configuration, print the plan it makes, run nothing" },
    { "status", NULL, "What was done at start, and what runs now" },
    { "health", "[URL]", "One probe, for HEALTHCHECK and exec probes: exit 0 or 1" },
    { "reload", NULL, "Ask the running freshinit to reload, wait, say how it went" },
    { "seal", "[DIR...]", "Write down what was built, for start and verify; in a Dockerfile" },
    { "verify", NULL, "The deployment checklist as one table; exit 1 if a line fails" },
};

/* clang-format off: one row, one option */
static const struct option options[] = {
    { 0, "config", "FILE", NULL, AT_PLAN | AT_LOOK,
      "Else $FRESHINIT_CONFIG, /etc/freshinit.ini, ./freshinit.ini" },
    { 0, "set", "SECTION.KEY=VALUE", NULL, AT_PLAN | AT_LOOK,
      "Set any key, like server.umask=027 (repeatable)" },
    { 0, "user", "U[:G]", "server.user", AT_PLAN, "Run the server as this user" },
    { 0, "stop-timeout", "TIME", "server.stop_timeout", AT_PLAN,
      "The time of a whole stop, then KILL" },
    { 0, "log", "human|json", "freshinit.log", AT_PLAN, "The form of the log" },
    { 0, "no-stages", NULL, NULL, OPTION_RUN, "Run no stage" },
    { 0, "rewrite", "S:R", NULL, OPTION_RUN,
      "Forward signal R for S; R 0: not at all (repeatable)" },
    { 0, "single-child", NULL, NULL, OPTION_RUN, "Signal the server only, never its group" },
    { 0, "dry-run", NULL, NULL, AT_CLEAN, "Say what would be done, do nothing" },
    { 0, "json", NULL, NULL, AT_STATUS | AT_VERIFY, "Print it as JSON" },
    { 0, "timeout", "TIME", "health.timeout", AT_HEALTH, "The time that the answer has" },
    { 0, "grace", "TIME", NULL, AT_VERIFY, "What the platform gives a stop; 10s, Kubernetes 30s" },
    { 's', NULL, NULL, NULL, AT_START, "Be a subreaper (on by itself when not PID 1)" },
    { 'p', NULL, "SIG", NULL, AT_START, "Get this signal when the parent dies" },
    { 'g', NULL, NULL, NULL, AT_START, "Signal the whole process group" },
    { 'e', NULL, "CODE", NULL, AT_START, "Exit with 0 instead of CODE (repeatable)" },
    { 'v', NULL, NULL, NULL, AT_ALL, "Log more (repeatable)" },
    { 'w', NULL, NULL, NULL, AT_START, "Warn when zombies are reaped" },
    { 'l', NULL, NULL, NULL, OPTION_TINI, "Print the version" },
    { 'h', "help", NULL, NULL, AT_ALL, "Print this help" },
    { 0, "version", NULL, NULL, AT_ALL, "Print the version" },
};
/* clang-format on */

/* The state of one reading. */
struct reading {
    char *const *next; /* of argv */
    struct call *call;
    const struct subcommand *subcommand;
    bool is_seen[COUNT(options)];
    struct fault *why;
};

const struct option *argv_option(size_t index)
{
    return index < COUNT(options) ? &options[index] : NULL;
}

const struct subcommand *argv_subcommand(size_t index)
{
    return index < COUNT(subcommands) ? &subcommands[index] : NULL;
}

bool argv_option_fits(const struct option *option, const struct subcommand *subcommand)
{
    unsigned bit = OPTION_RUN;

    if (subcommand)
        bit = (unsigned)OPTION_SUBCOMMAND << (subcommand - subcommands);
    return (option->where & bit) != 0;
}

const struct subcommand *argv_find(const char *name)
{
    for (size_t i = 0; i < COUNT(subcommands); i++)
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}

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
    reading->is_seen[option - options] = true;
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
    char hint[GUESS_TEXT_SIZE];
    struct guess guess;
    int length = (int)strcspn(written, "=");
    char name[WORD_SIZE];

    snprintf(name, sizeof name, "%.*s", length - 2, written + 2);
    guess_start(&guess, name);
    for (size_t i = 0; i < COUNT(options); i++)
        if (options[i].name && is_usable(reading, &options[i]))
            guess_offer(&guess, options[i].name);
    return fault_set(reading->why, "unknown option %.*s%s", length, written,
                     guess_text(&guess, hint));
}

/* "--name", "--name=value", "--name value". */
static int read_long(struct reading *reading, const char *written)
{
    const char *name = written + 2;
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;

    for (size_t i = 0; i < COUNT(options); i++) {
        const struct option *option = &options[i];
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
        const struct option *option = NULL;
        for (size_t i = 0; i < COUNT(options) && !option; i++)
            if (options[i].letter == *letter && is_usable(reading, &options[i]))
                option = &options[i];
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

    for (size_t i = 0; i < COUNT(options); i++) {
        const struct option *option = &options[i];
        if (!reading->is_seen[i] || reading->call->init.is_tini ||
            argv_option_fits(option, subcommand))
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
        reading->subcommand = argv_find(*reading->next);
    if (reading->subcommand) {
        call->subcommand = reading->subcommand->name;
        reading->next++;
        if (read_words(reading) < 0)
            return -1;
        return check_places(reading);
    }
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
