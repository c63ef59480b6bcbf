/*
 * Prints the plan. Reads texts and sources only, so that a new key needs nothing here.
 */
#include "plan/print.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/page.h"
#include "base/words.h"
#include "plan/draft.h"
#include "plan/keys.h"

enum { NAME_WIDTH = 14, VALUE_WIDTH = 40, VALUE_SIZE = 4200 };

static void add_row(struct page *page, const char *name, const char *value, const char *place)
{
    char safe[VALUE_SIZE];

    page_add(page, "%-*s = ", NAME_WIDTH, name);
    page_put(page, escape_text(value, safe, sizeof safe));
    page_add(page, "%*s ; ", strlen(safe) < VALUE_WIDTH ? (int)(VALUE_WIDTH - strlen(safe)) : 0,
             "");
    page_put(page, escape_text(place, safe, sizeof safe));
    page_put(page, "\n");
}

static bool is_url_end(char c)
{
    return c == '\0' || c == ' ' || c == '\t' || c == '"' || c == '\'';
}

/* The end of user and password, where `authority` begins behind "://"; NULL: none. */
static const char *userinfo_end(const char *authority)
{
    const char *at = NULL;

    for (; !is_url_end(*authority) && *authority != '?'; authority++)
        if (*authority == '@')
            at = authority;
    return at;
}

const char *print_masked(const char *text, char *out, size_t out_size)
{
    size_t used = 0;
    bool is_url = false;

    while (*text != '\0' && used + 5 < out_size) {
        if (is_url_end(*text))
            is_url = false;
        if (strncmp(text, "://", 3) == 0) {
            const char *end = userinfo_end(text + 3);
            memcpy(out + used, "://***", 6 > out_size - used - 1 ? out_size - used - 1 : 6);
            used += end ? 6 : 3;
            text = end ? end : text + 3;
            is_url = true;
        } else if (is_url && *text == '?') {
            memcpy(out + used, "?***", 4);
            used += 4;
            while (!is_url_end(*text))
                text++;
        } else {
            out[used++] = *text++;
        }
        if (used >= out_size)
            used = out_size - 1;
    }
    out[used] = '\0';
    return out;
}

/* Words as the file would have them. */
static const char *quoted(const struct words *words, char *out, size_t out_size)
{
    size_t used = 0;

    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->items[i];
        bool is_plain = *word != '\0' && word[strcspn(word, " \t\"'\\;")] == '\0';
        used += (size_t)snprintf(out + used, out_size - used, is_plain ? "%s%s" : "%s\"%s\"",
                                 i > 0 ? " " : "", word);
        if (used >= out_size)
            break;
    }
    return out;
}

/* As the file would have it. */
static const char *show_time(int64_t ms, char *out, size_t out_size)
{
    snprintf(out, out_size, "%lld%s", (long long)(ms % 1000 ? ms : ms / 1000),
             ms % 1000 ? "ms" : "s");
    return out;
}

static const char *value_of(const struct plan *plan, const struct key *key,
                            const struct source *source, char *out)
{
    bool is_command = key->section == KEY_SERVER && key->type == KEY_WORDS &&
                      key->offset == offsetof(struct plan, server.command);
    bool is_run = key->type == KEY_ACTION && key->actions == 1U << ACTION_RUN;

    if (is_command && !source->raw)
        return quoted(&plan->server.command, out, VALUE_SIZE);
    if (is_command || is_run)
        return source->raw;
    if (key->type == KEY_AUTO)
        return show_time(plan->server.stop_timeout_ms, out, VALUE_SIZE);
    return print_masked(source->text, out, VALUE_SIZE);
}

static void add_key(struct page *page, const struct plan *plan, const struct stage_plan *stage,
                    const struct key *key)
{
    const struct source *source = draft_source(plan, stage, key);
    char value[VALUE_SIZE];
    char place[DRAFT_PLACE_SIZE];

    if (!source->text && !(source->kind == SOURCE_ARGV && !source->raw))
        return;
    draft_place(plan, source, place, sizeof place);
    add_row(page, key->name, value_of(plan, key, source, value), place);
}

static void add_section(struct page *page, const struct plan *plan, enum key_section section,
                        const struct stage_plan *stage)
{
    size_t count;
    const struct key *key = keys_first(section, &count);

    page_add(page, "\n[%s%s%s]\n", keys_section_name(section), stage ? " " : "",
             stage ? stage->name : "");
    for (size_t i = 0; i < count; i++)
        add_key(page, plan, stage, &key[i]);
}

static void add_env(struct page *page, const struct plan *plan)
{
    char place[DRAFT_PLACE_SIZE];

    if (plan->env_count > 0)
        page_put(page, "\n[env]\n");
    for (size_t i = 0; i < plan->env_count; i++)
        add_row(page, plan->env[i].name, plan->env[i].source.raw,
                draft_place(plan, &plan->env[i].source, place, sizeof place));
}

int print_plan(const struct plan *plan, int fd)
{
    struct page page = { .fd = fd };
    const struct server_plan *server = &plan->server;
    char times[3][32];

    page_add(&page, "; freshinit %s, %s\n; release %s%s%s\n", plan->version,
             plan->config ? plan->config : "no configuration file",
             plan->release[0] != '\0' ? plan->release : "unknown",
             plan->release_from ? ", from " : "", plan->release_from ? plan->release_from : "");
    add_section(&page, plan, KEY_FRESHINIT, NULL);
    add_env(&page, plan);
    for (size_t i = 0; i < plan->stage_count; i++)
        add_section(&page, plan, KEY_STAGE, &plan->stages[i]);
    add_section(&page, plan, KEY_HEALTH, NULL);
    add_section(&page, plan, KEY_SERVER, NULL);
    page_add(&page, "; a stop takes at most %s: drain %s, then %s for all to end\n",
             show_time(server->stop_timeout_ms, times[0], sizeof times[0]),
             show_time(server->drain_ms, times[1], sizeof times[1]),
             show_time(server->stop_timeout_ms - server->drain_ms, times[2], sizeof times[2]));
    for (size_t i = 0; i < plan->added_count; i++) {
        page_put(&page, "; ");
        page_put(&page, plan->added[i]);
        page_put(&page, "\n");
    }
    return page_end(&page);
}
