/* Owns the marker's text and the waiting for one's turn. Where both lie is known to the stores
 * alone. */
#include "stage/once.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "stage/place.h"

enum { POLL_LEAST_MS = 20, POLL_MOST_MS = 200, TELL_AFTER_MS = 1000, NAME_MAX_LENGTH = 150 };

static const char *phase_name(enum when phase)
{
    static const struct {
        enum when phase;
        const char *name;
    } names[] = { { WHEN_BUILD, "build" },
                  { WHEN_START, "start" },
                  { WHEN_READY, "ready" },
                  { WHEN_RELOAD, "reload" },
                  { WHEN_STOP, "stop" } };

    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i].phase == phase)
            return names[i].name;
    return "start";
}

/* Names of stages are free, those of keys and files are not. */
void once_key(const char *stage, const char *what, char *out)
{
    char name[NAME_MAX_LENGTH + 1];

    snprintf(name, sizeof name, "%s", stage);
    for (char *next = name; *next; next++)
        if (*next <= ' ' || *next >= 0x7f || *next == '/')
            *next = '_';
    snprintf(out, ONCE_KEY_MAX, "freshinit:%s:%s", name, what);
}

static void name_self(struct once_turn *once)
{
    uint64_t random = 0;

    if (gethostname(once->self.host, sizeof once->self.host) < 0 || once->self.host[0] == '\0')
        snprintf(once->self.host, sizeof once->self.host, "unknown");
    once->self.host[sizeof once->self.host - 1] = '\0';
    once->self.host[strcspn(once->self.host, " \r\n")] = '\0';
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = (uint64_t)clock_us();
    snprintf(once->token, sizeof once->token, "%s %016" PRIx64, once->self.host,
             random ^ (uint64_t)getpid());
}

int once_prepare(const struct stage_run *run, const struct stage_plan *stage, struct once_turn *out,
                 struct fault *why)
{
    const char *id = stage->once_id ? stage->once_id : run->plan->release;

    if (stage->once != ONCE_RELEASE)
        return 0;
    if (id[0] == '\0') {
        log_event(LOG_WARN, "once.unknown", LOG_FIELDS(LOG_TEXT("stage", stage->name)),
                  "[stage %s] once = release, but the release is not known, so this is done each "
                  "time: set release = or once_id =",
                  stage->name);
        return 0;
    }
    if (strlen(id) > ONCE_ID_MAX)
        return fault_set(why, "once: the release has more than %d characters", ONCE_ID_MAX);
    *out = (struct once_turn){ .deadline_ms = run->deadline_ms, .is_release = !stage->once_id };
    snprintf(out->self.id, sizeof out->self.id, "%s", id);
    out->self.id[strcspn(out->self.id, "\r\n")] = '\0';
    snprintf(out->self.phase, sizeof out->self.phase, "%s", phase_name(run->phase));
    name_self(out);
    once_key(stage->name, "marker", out->marker_key);
    once_key(stage->name, "lock", out->lock_key);
    return 1;
}

/* "TIME HOST PHASE ID"; false for a line that is none of ours. */
static bool read_mark(const char *line, size_t length, struct once_mark *out)
{
    char text[ONCE_ID_MAX + ONCE_HOST_MAX + 64];
    char *part[3];
    char *next = text;
    struct fault unneeded;

    if (length >= sizeof text)
        return false;
    memcpy(text, line, length);
    text[length] = '\0';
    for (size_t i = 0; i < COUNT(part); i++) {
        part[i] = next;
        next = strchr(next, ' ');
        if (!next)
            return false;
        *next++ = '\0';
    }
    fault_clear(&unneeded);
    if (text_number(part[0], 0, INT64_MAX / 1000, &out->at_s, &unneeded) < 0)
        return false;
    if (strlen(part[1]) >= sizeof out->host || strlen(part[2]) >= sizeof out->phase ||
        strlen(next) >= sizeof out->id)
        return false;
    memcpy(out->host, part[1], strlen(part[1]) + 1);
    memcpy(out->phase, part[2], strlen(part[2]) + 1);
    memcpy(out->id, next, strlen(next) + 1);
    return true;
}

bool once_find(const char *marker, const char *id, const char *phase, struct once_mark *out)
{
    struct once_mark mark = { 0 };

    while (*marker) {
        size_t length = strcspn(marker, "\n");
        if (read_mark(marker, length, &mark) && strcmp(mark.id, id) == 0 &&
            strcmp(mark.phase, phase) == 0) {
            *out = mark;
            return true;
        }
        marker += length;
        if (*marker == '\n')
            marker++;
    }
    return false;
}

void once_marker(const struct once_turn *once, char *out, size_t out_size)
{
    const char *next = once->marker;
    int used = snprintf(out, out_size, "%" PRId64 " %s %s %s\n", clock_wall_ms() / 1000,
                        once->self.host, once->self.phase, once->self.id);

    for (int kept = 1; kept < ONCE_MARKS && *next; kept++) {
        size_t length = strcspn(next, "\n");
        if (used < 0 || (size_t)used + length + 2 > out_size)
            return;
        used += snprintf(out + used, out_size - (size_t)used, "%.*s\n", (int)length, next);
        next += length;
        if (*next == '\n')
            next++;
    }
}

const char *once_show(const struct once_turn *once, char *out, size_t out_size)
{
    char age[32];
    int64_t age_s = clock_wall_ms() / 1000 - once->found.at_s;

    /* The other host's clock may be ahead of ours. */
    if (age_s < 0)
        age_s = 0;
    if (age_s < 60)
        snprintf(age, sizeof age, "%" PRId64 " s", age_s);
    else
        text_show_ms(age_s * 1000, age, sizeof age);
    snprintf(out, out_size, "done already for %s %s (by %s, %s ago)",
             once->is_release ? "release" : "once_id", once->self.id, once->found.host, age);
    return out;
}

/* 1 when it is listed. */
static int look(struct once_turn *once, const struct once_store *store, struct fault *why)
{
    if (store->read(store->self, once, once->marker, why) < 0)
        return -1;
    return once_find(once->marker, once->self.id, once->self.phase, &once->found);
}

/* Until the lock is ours (1) or the marker says that it is done (0). */
static int await_turn(struct once_turn *once, const struct once_store *store, struct fault *why)
{
    char holder[ONCE_TOKEN_MAX] = "";
    int64_t pause = POLL_LEAST_MS;
    int64_t tell_at_ms = clock_ms() + TELL_AFTER_MS;

    for (;;) {
        int is_done = look(once, store, why);
        if (is_done != 0)
            return is_done < 0 ? -1 : 0;
        int is_ours = store->lock(store->self, once, holder, why);
        if (is_ours != 0)
            return is_ours;
        holder[strcspn(holder, " ")] = '\0';
        int left = clock_left(once->deadline_ms);
        if (left >= 0 && left <= 2 * POLL_MOST_MS)
            return fault_set(why, "%s is doing it (it holds %s), and was not done in time",
                             holder[0] ? holder : "another replica", once->lock_key);
        if (clock_ms() >= tell_at_ms) {
            log_event(LOG_INFO, "once.waiting", LOG_FIELDS(LOG_TEXT("holder", holder)),
                      "%s: waiting until %s has done it", once->lock_key,
                      holder[0] ? holder : "another replica");
            tell_at_ms = CLOCK_NEVER;
        }
        clock_rest(pause);
        pause = pause * 2 < POLL_MOST_MS ? pause * 2 : POLL_MOST_MS;
    }
}

int once_claim(struct once_turn *once, const struct once_store *store, struct fault *why)
{
    int is_ours = await_turn(once, store, why);

    if (is_ours <= 0)
        return is_ours;
    if (store->settle_ms > 0)
        clock_rest(store->settle_ms);
    /* Someone may have finished after we looked and before the lock was free. */
    int is_done = look(once, store, why);
    if (is_done == 0)
        return 1;
    if (store->unlock(store->self, once, why) < 0)
        return -1;
    return is_done < 0 ? -1 : 0;
}

int once_check(const struct plan *plan, const struct stage_plan *stage, struct fault *why)
{
    const char *id = stage->once_id;

    if (id && (id[0] == '\0' || strlen(id) > ONCE_ID_MAX || strpbrk(id, "\r\n")))
        return place_fault(plan, stage, why, "once_id has 1 to %d characters", ONCE_ID_MAX);
    if (stage->once == ONCE_CHANGE && stage->in.count == 0)
        return place_fault(plan, stage, why, "once = change needs in = (what it reads)");
    return 0;
}
