/*
 * Help and version, made from the tables that the parser uses.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/page.h"
#include "cmd/commands.h"
#include "plan/argv.h"
#include "plan/options.h"

enum { LEFT_WIDTH = 26 };

static void add_row(struct page *page, const char *left, const char *right)
{
    page_add(page, "  %-*s %s\n", LEFT_WIDTH, left, right);
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

    page_put(page, "\nOptions:\n");
    for (size_t i = 0; (option = options_at(i)); i++)
        if (call->init.is_tini ? (option->where & OPTION_TINI) != 0
                               : options_fits(option, subcommand))
            add_option(page, option);
}

static void add_general(struct page *page)
{
    const struct subcommand *subcommand;
    char left[64];

    page_put(page,
             "Usage: freshinit [OPTIONS] [--] COMMAND [ARG...]\n"
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
    page_add(page, "Usage: freshinit %s [OPTIONS]%s%s\n%s.\n", subcommand->name,
             subcommand->words ? " " : "", subcommand->words ? subcommand->words : "",
             subcommand->help);
}

int help_command(const struct invocation *invocation)
{
    const struct call *call = invocation->call;
    struct page page = { .fd = STDOUT_FILENO };

    if (call->wants_version) {
        page_put(&page, "freshinit " FRESHINIT_VERSION "\n");
    } else {
        if (call->init.is_tini)
            page_put(&page, "Usage: tini [OPTIONS] [--] COMMAND [ARG...]   (this is freshinit)\n");
        else if (call->subcommand)
            add_one(&page, options_subcommand(call->subcommand));
        else
            add_general(&page);
        add_options(&page, call);
        if (!call->init.is_tini)
            page_put(&page, "\nMore: freshinit(8), freshinit.ini(5).\n");
    }
    return page_end(&page) < 0 ? 1 : 0;
}
