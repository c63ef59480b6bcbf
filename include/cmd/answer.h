/* What the server answers, held against [health] and the release. For health and verify. */
#ifndef CMD_ANSWER_H
#define CMD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/url.h"
#include "net/http.h"
#include "plan/plan.h"

/* Whom to ask: `word`, else [health] url, else [server] ready, else its listen; NULL for none of
 * them. Without one of them the fault is the line to write. */
struct answer_target {
    struct url url;
    bool is_guess;                /* a listener's "/": any status below 500 is an answer */
    char name[URL_TEXT_MAX + 64]; /* for people, without secrets */
};

MUST_USE int answer_target(const struct plan *plan, const char *word, struct answer_target *out,
                           struct fault *why);

/* A fault of [health] url, with its place. */
void answer_check(const struct plan *plan, struct fault *why);

struct answer {
    bool is_http;
    struct http_answer http;
    char
        release[HTTP_VALUE_SIZE]; /* that it says: release_header, else release_json; "" for none */
    char cache[HTTP_VALUE_SIZE];  /* Cache-Control */
    char type[HTTP_VALUE_SIZE];   /* Content-Type */
};

/* One request. -1: no answer, or status, body or expect_header are not as wanted. The release is
 * looked up, and not judged. */
MUST_USE int answer_ask(const struct plan *plan, const struct answer_target *target,
                        struct answer *out, struct fault *why);

/* Does the answer say the release, where it is to? */
MUST_USE int answer_check_release(const struct plan *plan, const struct answer *answer,
                                  struct fault *why);

/* The value of "name" in a text of JSON, as far as it is text or a number; false when not there. */
bool answer_json(const char *text, const char *name, char *out, size_t out_size);

#endif
