/* A redis that says anything at all. */
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "stage/once_redis.h"

enum { SIZE_MAX_SENT = 64 * 1024, REPLIES_MAX = 2000 };

static struct redis redis;

static int meet(const uint8_t *data, size_t size)
{
    int ends[2];

    if (size > SIZE_MAX_SENT || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return -1;
    ssize_t sent = write(ends[1], data, size);
    shutdown(ends[1], SHUT_WR);
    redis.pending = 0;
    wire_open(&redis.wire, ends[0], clock_ms() + 2000);
    return sent == (ssize_t)size ? ends[1] : -1;
}

static void part(int far)
{
    redis_close(&redis);
    close(far);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct redis_reply reply;
    static struct once_turn turn = { .token = "web-1 1234", .lock_key = "l", .marker_key = "m" };
    struct fault why;
    char holder[ONCE_TOKEN_MAX];
    int far = meet(data, size);

    if (far < 0)
        return 0;
    fault_clear(&why);
    for (int i = 0; i < REPLIES_MAX && redis_read(&redis, &reply, &why) == 0; i++)
        if (reply.type == REDIS_ERROR)
            redis_refused(&redis, "FLUSHDB", &reply, &why);
    part(far);
    if ((far = meet(data, size)) < 0)
        return 0;
    const struct once_store store = once_redis_store(&redis);
    turn.deadline_ms = clock_ms() + 2000;
    if (store.read(store.self, &turn, turn.marker, &why) == 0 &&
        store.lock(store.self, &turn, holder, &why) >= 0 &&
        once_redis_done(&redis, &turn, REDIS_WORDS("FLUSHDB"), &why) == 0)
        (void)once_find(turn.marker, "r1", "start", &turn.found);
    part(far);
    return 0;
}
