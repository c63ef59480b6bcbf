/* Owns the order of one flush: the lock, the flush, the lock given back. Knows no protocol. */
#include "stage/turn.h"

#include "base/clock.h"
#include "base/log.h"

enum { GIVE_BACK_MS = 1000 };

int turn_prepare(struct turn *out, const struct stage_run *run, const struct url *url,
                 struct fault *why)
{
    const struct stage_plan *stage = run->stages[0];

    *out = (struct turn){ .run = run, .stage = stage, .began_ms = clock_ms() };
    out->login = (struct login){ .url = url,
                                 .password_file = stage->password_file,
                                 .deadline_ms = run->deadline_ms };
    int has_once = once_prepare(run, stage, &out->once, why);
    out->has_once = has_once == 1;
    return has_once < 0 ? -1 : 0;
}

static void tell_skipped(const struct turn *turn, const char *server)
{
    char text[512];

    log_event(LOG_INFO, "stage.done",
              LOG_FIELDS(LOG_TEXT("stage", turn->stage->name), LOG_TEXT("server", server),
                         LOG_NUMBER("skipped", 1)),
              "Flushing %s: %s", server, once_show(&turn->once, text, sizeof text));
}

/* By a new connection: the old one may be why the flush failed. */
static void give_back(const struct turn *turn, const struct turn_server *server)
{
    struct login again = turn->login;
    struct fault unneeded;

    again.deadline_ms = clock_ms() + GIVE_BACK_MS;
    fault_clear(&unneeded);
    if (server->give_back(&turn->once, &again, &unneeded) < 0)
        log_event(LOG_DEBUG, "once.kept", LOG_FIELDS(LOG_TEXT("stage", turn->stage->name)),
                  "Flushing %s: the lock stays until its time is over: %s", server->name,
                  fault_line(&unneeded, 0));
}

int turn_take(struct turn *turn, const struct turn_server *server, struct fault *why)
{
    int is_ours = turn->has_once ? once_claim(&turn->once, &server->store, why) : 1;

    if (is_ours < 0)
        return -1;
    if (is_ours == 0) {
        turn->run->results[0].skipped = 1;
        tell_skipped(turn, server->name);
        return 0;
    }
    if (server->flush(server->self, why) == 0)
        return 0;
    if (turn->has_once)
        give_back(turn, server);
    return -1;
}

int64_t turn_without_own(const struct turn *turn, int64_t count)
{
    if (!turn->has_once || count <= 0)
        return count;
    return count - (turn->once.marker[0] != '\0' && count > 1 ? 2 : 1);
}
