/* A memcached that says anything at all. */
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "stage/once_memcached.h"

enum { SIZE_MAX_SENT = 64 * 1024 };

static struct memcached memcached;

static int meet(const uint8_t *data, size_t size)
{
    int ends[2];

    if (size > SIZE_MAX_SENT || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return -1;
    ssize_t sent = write(ends[1], data, size);
    shutdown(ends[1], SHUT_WR);
    wire_open(&memcached.wire, ends[0], clock_ms() + 2000);
    return sent == (ssize_t)size ? ends[1] : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct once_turn turn = { .token = "web-1 1234", .lock_key = "l", .marker_key = "m" };
    struct memcached_stats stats;
    struct fault why;
    char line[MEMCACHED_LINE_MAX];
    char holder[ONCE_TOKEN_MAX];
    int far = meet(data, size);

    if (far < 0)
        return 0;
    fault_clear(&why);
    const struct once_store store = once_memcached_store(&memcached);
    turn.deadline_ms = clock_ms() + 2000;
    /* A marker that does not stay is set again after a pause, which would make this slow. */
    const struct memcached_item item = { .key = "m", .value = "v" };
    if (store.read(store.self, &turn, turn.marker, &why) == 0 &&
        store.lock(store.self, &turn, holder, &why) >= 0 &&
        memcached_stats(&memcached, &stats, &why) == 0 &&
        memcached_flush(&memcached, &item, &why) == 0 &&
        store.unlock(store.self, &turn, &why) == 0 &&
        memcached_call(&memcached, "version", line, sizeof line, &why) == 0)
        (void)once_find(turn.marker, "r1", "start", &turn.found);
    memcached_close(&memcached);
    close(far);
    return 0;
}
