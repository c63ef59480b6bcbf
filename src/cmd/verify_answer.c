/*
 * What the server answers, asked several times: behind one address there may be an old replica.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/escape.h"
#include "cmd/answer.h"
#include "cmd/verify_parts.h"

enum { ASKS = 12 };

static const char fix_target[] = "say whom to ask: [health] url = http://127.0.0.1:8000/healthz";

/* What several answers had in common. */
struct poll {
    int asked;
    int failed;
    int other_release;
    bool is_untold;    /* the answer does not say its release */
    char failure[400]; /* the first */
    char other[400];
};

static void ask_all(const struct verify *verify, const struct answer_target *target,
                    struct poll *out)
{
    struct answer answer;
    struct fault why;

    *out = (struct poll){ .asked = 0 };
    while (out->asked < ASKS && clock_left(verify->deadline_ms) != 0) {
        out->asked++;
        fault_clear(&why);
        if (answer_ask(verify->plan, target, &answer, &why) < 0) {
            if (out->failed++ == 0)
                snprintf(out->failure, sizeof out->failure, "%s", fault_line(&why, 0));
            /* Who does not answer in time will not do so twelve times. */
            if (out->failed == out->asked)
                return;
        } else if (answer_check_release(verify->plan, &answer, &why) < 0) {
            if (out->other_release++ == 0)
                snprintf(out->other, sizeof out->other, "%s", fault_line(&why, 0));
            out->is_untold = answer.release[0] == '\0';
        }
    }
}

static void check_answer(struct verify *verify, const struct answer_target *target)
{
    const struct health_plan *health = &verify->plan->health;
    struct finding found = { .mark = MARK_FAIL, .name = "answer" };
    struct poll poll;

    ask_all(verify, target, &poll);
    if (poll.failed > 0) {
        found.fix = "see the server's log; health asks the same question";
        checklist_add(&verify->list, &found, "%s: %d of %d requests: %s", target->name, poll.failed,
                      poll.asked, poll.failure);
    } else if (poll.other_release > 0 && poll.other_release < poll.asked) {
        found.fix = "an old replica or a second server answers at the same address: end it";
        checklist_add(&verify->list, &found, "%s: in %d of %d requests %s", target->name,
                      poll.other_release, poll.asked, poll.other);
    } else if (poll.other_release > 0) {
        found.fix = poll.is_untold
                        ? "have the application send it, or drop the key from [health]"
                        : "the server runs another release than the image: start the container "
                          "anew, or ask the right address";
        checklist_add(&verify->list, &found, "%s: %s", target->name, poll.other);
    } else if (!health->release_header && !health->release_json) {
        found.mark = MARK_OK;
        checklist_add(&verify->list, &found,
                      "%s answers; its release is not asked for ([health] release_header)",
                      target->name);
    } else {
        found.mark = MARK_OK;
        checklist_add(&verify->list, &found, "%s: release %s in %d of %d requests", target->name,
                      verify->plan->release, poll.asked, poll.asked);
    }
}

/* The page that people see first, of the same server. */
static void check_no_store(struct verify *verify, const struct answer_target *health)
{
    struct finding found = { .mark = MARK_SKIPPED, .name = "no-store" };
    struct url url = health->url;
    struct http_query query = { .url = &url,
                                .deadline_ms = clock_ms() + verify->plan->health.timeout_ms,
                                .headers = { "Cache-Control", "Content-Type" } };
    struct http_answer answer;
    struct fault why;
    char safe[HTTP_VALUE_SIZE];

    if (strcmp(url.scheme, "http") == 0)
        snprintf(url.path, sizeof url.path, "/");
    url.query[0] = '\0';
    fault_clear(&why);
    if (http_request(&query, &answer, &why) < 0)
        checklist_add(&verify->list, &found, "GET /: %s", fault_line(&why, 0));
    else if (!strcasestr(answer.values[1], "html"))
        checklist_add(&verify->list, &found, "GET / gives %d and no HTML", answer.status);
    else if (strcasestr(answer.values[0], "no-store")) {
        found.mark = MARK_OK;
        checklist_add(&verify->list, &found, "HTML is served with Cache-Control: %s",
                      escape_text(answer.values[0], safe, sizeof safe));
    } else {
        found.mark = MARK_FAIL;
        found.fix = "set Cache-Control: no-store on HTML, so that no browser or proxy keeps the "
                    "old page (three lines: see examples/)";
        checklist_add(&verify->list, &found, "GET / is HTML with Cache-Control: \"%s\"",
                      escape_text(answer.values[0], safe, sizeof safe));
    }
}

void verify_answer(struct verify *verify)
{
    struct answer_target target;
    struct fault why;

    fault_clear(&why);
    if (answer_target(verify->plan, NULL, &target, &why) < 0) {
        checklist_add(&verify->list,
                      &(struct finding){
                          .mark = MARK_SKIPPED, .name = "answer", .fix = fix_target },
                      "%s", fault_line(&why, 0));
        return;
    }
    check_answer(verify, &target);
    if (strncmp(target.url.scheme, "http", 4) == 0)
        check_no_store(verify, &target);
}
