/* A postgres server that says anything at all. */
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/postgres.h"

enum { SIZE_MAX_SENT = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire wire;
    struct fault why;
    int ends[2];

    if (size > SIZE_MAX_SENT || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return 0;
    fault_clear(&why);
    wire_open(&wire, ends[0], clock_ms() + 2000);
    if (write(ends[1], data, size) == (ssize_t)size && shutdown(ends[1], SHUT_WR) == 0 &&
        postgres_receive(&wire, "app", &why) < 0 && why.count != 1)
        __builtin_trap();
    wire_close(&wire);
    close(ends[1]);
    return 0;
}
