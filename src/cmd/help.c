/*
 * Help and version, made from the tables that the parser uses.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "cmd/commands.h"
#include "plan/argv.h"
#include "plan/options.h"

enum { LEFT_WIDTH = 26 };

struct page {
    size_t used;
    char text[6000];
};

static void add(struct page *page, const char *text)
{
    size_t length = strlen(text);

    if (length > sizeof page->text - page->used)
        length = sizeof page->text - page->used;
    memcpy(page->text + page->used, text, length);
    page->used += length;
}

static void add_row(struct page *page, const char *left, const char *right)
{
    char line[200];

    snprintf(line, sizeof line, "  %-*s %s\n", LEFT_WIDTH, left, right);
    add(page, line);
}

static void add_option(struct page *page, const struct option *option)
{
    char left[64];
    const char *argument = option->argument ? option->argument : "";

    if (option->letter != 0 && option->name)
        snprintf(left, sizeof left, "-%c, --%s %s", option->letter, option->name, argument);
    else if (option->name)
        snprintf(left, sizeof left, "--%s %s", option->name, argument);
    else
        snprintf(left, sizeof left, "-%c %s", option->letter, argument);
    add_row(page, left, option->help);
}

static void add_options(struct page *page, const struct call *call)
{
    const struct subcommand *subcommand =
        call->subcommand ? options_subcommand(call->subcommand) : NULL;
    const struct option *option;

    add(page, "\nOptions:\n");
    for (size_t i = 0; (option = options_at(i)); i++)
        if (call->init.is_tini ? (option->where & OPTION_TINI) != 0
                               : options_fits(option, subcommand))
            add_option(page, option);
}

static void add_general(struct page *page)
{
    const struct subcommand *subcommand;
    char left[64];

    add(page, "Usage: freshinit [OPTIONS] [--] COMMAND [ARG...]\n"
              "Run the stages of freshinit.ini (clear caches, wait for services), then COMMAND,\n"
              "as PID 1 of a container or anywhere. Without COMMAND: [server] command.\n"
              "\nSubcommands (SUBCOMMAND --help tells more):\n");
    for (size_t i = 0; (subcommand = options_subcommand_at(i)); i++) {
        snprintf(left, sizeof left, "%s %s", subcommand->name,
                 subcommand->words ? subcommand->words : "");
        add_row(page, left, subcommand->help);
    }
}

static void add_one(struct page *page, const struct subcommand *subcommand)
{
    char line[200];

    snprintf(line, sizeof line, "Usage: freshinit %s [OPTIONS]%s%s\n%s.\n", subcommand->name,
             subcommand->words ? " " : "", subcommand->words ? subcommand->words : "",
             subcommand->help);
    add(page, line);
}

int help_command(const struct invocation *invocation)
{
    const struct call *call = invocation->call;
    struct page page = { .used = 0 };

    if (call->wants_version) {
        add(&page, "freshinit " FRESHINIT_VERSION "\n");
    } else {
        if (call->init.is_tini)
            add(&page, "Usage: tini [OPTIONS] [--] COMMAND [ARG...]   (this is freshinit)\n");
        else if (call->subcommand)
            add_one(&page, options_subcommand(call->subcommand));
        else
            add_general(&page);
        add_options(&page, call);
        if (!call->init.is_tini)
            add(&page, "\nMore: freshinit(8), freshinit.ini(5).\n");
    }
    return fdio_write(STDOUT_FILENO, page.text, page.used) < 0 ? 1 : 0;
}
