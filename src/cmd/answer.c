/*
 * Asks the server once, and holds its answer against the configuration. Believes nothing of it
 * beyond that.
 */
#include "cmd/answer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/escape.h"
#include "net/ready.h"
#include "plan/draft.h"
#include "plan/release.h"

/* Which of the wanted headers. */
enum { AT_RELEASE, AT_EXPECTED, AT_CACHE, AT_TYPE, HEADER_NAME_SIZE = 100 };

/* "0.0.0.0:8000", "[::]:8000", ":8000", "unix:/run/app.sock": where it can be reached from here. */
static void write_listener(const char *address, char *out, size_t out_size)
{
    const char *colon = strrchr(address, ':');
    int host = colon ? (int)(colon - address) : 0;

    if (strncmp(address, "unix:", 5) == 0)
        snprintf(out, out_size, "http+unix:%s", address + 5);
    else if (host == 0 || strncmp(address, "0.0.0.0:", 8) == 0 || address[0] == '*')
        snprintf(out, out_size, "http://127.0.0.1%s", colon ? colon : "");
    else if (strncmp(address, "[::]:", 5) == 0)
        snprintf(out, out_size, "http://[::1]%s", colon);
    else
        snprintf(out, out_size, "http://%s", address);
}

static bool is_url(const char *text)
{
    return text && (strstr(text, "://") || strncmp(text, "unix:", 5) == 0);
}

int answer_target(const struct plan *plan, const char *word, struct answer_target *out,
                  struct fault *why)
{
    const struct words *listen = &plan->server.listen;
    char text[URL_TEXT_MAX];

    out->is_guess = false;
    if (!word)
        word = plan->health.url;
    if (!word && is_url(plan->server.ready))
        word = plan->server.ready;
    if (!word && listen->count > 0) {
        write_listener(listen->items[0], text, sizeof text);
        out->is_guess = true;
        word = text;
    }
    if (!word)
        return fault_set(why, "nobody to ask: write [health] url = http://127.0.0.1:8000/healthz, "
                              "or that URL behind the command");
    if (url_parse(word, &out->url, why) < 0)
        return -1;
    url_public(&out->url, out->name, sizeof out->name);
    const struct ready_query query = { .url = &out->url };
    return ready_check(&query, why);
}

void answer_check(const struct plan *plan, struct fault *why)
{
    struct answer_target target;
    struct fault inner;

    fault_clear(&inner);
    if (plan->health.url && answer_target(plan, NULL, &target, &inner) < 0)
        draft_fault(plan, KEY_HEALTH, "url", why, "%s", fault_line(&inner, 0));
}

bool answer_json(const char *text, const char *name, char *out, size_t out_size)
{
    size_t length = strlen(name);
    size_t used = 0;

    for (const char *at = text; (at = strchr(at, '"')); at++) {
        if (strncmp(at + 1, name, length) != 0 || at[1 + length] != '"')
            continue;
        at += length + 2;
        at += strspn(at, " \t\r\n");
        if (*at != ':')
            continue;
        at += 1 + strspn(at + 1, " \t\r\n");
        bool is_text = *at == '"';
        at += is_text;
        const char *ends = is_text ? "\"\\" : ",}] \t\r\n";
        for (; *at != '\0' && !strchr(ends, *at) && used + 1 < out_size; at++)
            out[used++] = *at;
        out[used] = '\0';
        /* One that is cut, or holds what would have to be decoded, is none. */
        return is_text ? *at == '"' : *at != '\0' && used > 0;
    }
    return false;
}

/* "Name: value" in its two parts; false where there is no colon. */
static bool take_apart(const char *header, char *name, const char **value)
{
    size_t length = strcspn(header, ":");

    if (header[length] == '\0' || length == 0 || length >= HEADER_NAME_SIZE)
        return false;
    memcpy(name, header, length);
    name[length] = '\0';
    *value = header + length + 1;
    *value += strspn(*value, " \t");
    return true;
}

/* Is `wanted` one of the values between commas? */
static bool has_value(const char *values, const char *wanted)
{
    size_t length = strlen(wanted);

    for (const char *at = values; (at = strcasestr(at, wanted)); at++) {
        bool is_begin = at == values || strchr(", ", at[-1]);
        if (is_begin && strchr(", ;", at[length]))
            return true;
    }
    return false;
}

static int check_answer(const struct plan *plan, const struct answer_target *target,
                        const struct http_answer *answer, struct fault *why)
{
    const struct health_plan *health = &plan->health;
    char name[HEADER_NAME_SIZE];
    const char *value;

    if (health->status != 0 && answer->status != health->status)
        return fault_set(why, "it answered %d, not %d", answer->status, (int)health->status);
    if (health->status == 0 &&
        (answer->status < 200 || answer->status > (target->is_guess ? 499 : 399)))
        return fault_set(why, "it answered %d", answer->status);
    if (health->body && !answer->has_text)
        return fault_set(why, "it answered %d, without \"%s\" in the body", answer->status,
                         health->body);
    if (health->expect_header && take_apart(health->expect_header, name, &value) &&
        !has_value(answer->values[AT_EXPECTED], value))
        return fault_set(why, "its header %s is \"%s\", not \"%s\"", name,
                         answer->values[AT_EXPECTED], value);
    return 0;
}

static int ask_http(const struct plan *plan, const struct answer_target *target, struct answer *out,
                    struct fault *why)
{
    const struct health_plan *health = &plan->health;
    char expected[HEADER_NAME_SIZE] = "-";
    const char *unused;
    struct http_query query = { .url = &target->url,
                                .deadline_ms = clock_ms() + health->timeout_ms,
                                .text = health->body,
                                .headers = { health->release_header ? health->release_header : "-",
                                             expected, "Cache-Control", "Content-Type" } };

    if (health->expect_header && !take_apart(health->expect_header, expected, &unused))
        return fault_set(why, "[health] expect_header: write Name: value");
    if (http_request(&query, &out->http, why) < 0)
        return -1;
    memcpy(out->cache, out->http.values[AT_CACHE], sizeof out->cache);
    memcpy(out->type, out->http.values[AT_TYPE], sizeof out->type);
    memcpy(out->release, out->http.values[AT_RELEASE], sizeof out->release);
    if (!health->release_header && health->release_json &&
        !answer_json(out->http.body, health->release_json, out->release, sizeof out->release))
        out->release[0] = '\0';
    return check_answer(plan, target, &out->http, why);
}

int answer_ask(const struct plan *plan, const struct answer_target *target, struct answer *out,
               struct fault *why)
{
    const struct ready_query query = { .url = &target->url };

    memset(out, 0, sizeof *out);
    out->is_http = strncmp(target->url.scheme, "http", 4) == 0;
    if (out->is_http)
        return ask_http(plan, target, out, why);
    return ready_ask(&query, clock_ms() + plan->health.timeout_ms, why);
}

int answer_check_release(const struct plan *plan, const struct answer *answer, struct fault *why)
{
    const struct health_plan *health = &plan->health;
    const char *where = health->release_header ? health->release_header : health->release_json;
    char safe[HTTP_VALUE_SIZE];

    if (!where || !answer->is_http)
        return 0;
    if (plan->release[0] == '\0')
        return fault_set(why,
                         "the release is unknown here, so the answer's %s can't be held "
                         "against it: set GIT_COMMIT_HASH in the image",
                         where);
    if (answer->release[0] == '\0')
        return fault_set(why, "the answer has no %s, so it does not say its release", where);
    if (!release_is_same(answer->release, plan->release))
        return fault_set(why, "the answer is of release %s, not of %s",
                         escape_text(answer->release, safe, sizeof safe), plan->release);
    return 0;
}
