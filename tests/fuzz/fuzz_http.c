/* A web server that says anything at all. */
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/http.h"

enum { SIZE_MAX_SENT = 64 * 1024 };

static void ask(const uint8_t *data, size_t size, const struct http_query *query)
{
    struct http_answer answer;
    struct wire wire;
    struct fault why;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return;
    fault_clear(&why);
    wire_open(&wire, ends[0], clock_ms() + 2000);
    if (write(ends[1], data, size) == (ssize_t)size && shutdown(ends[1], SHUT_WR) == 0 &&
        http_receive(&wire, query, &answer, &why) == 0 &&
        (answer.status < 200 || answer.status > 999 || answer.body_size >= sizeof answer.body ||
         answer.body[answer.body_size] != '\0'))
        __builtin_trap();
    wire_close(&wire);
    close(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct http_query plain = { .headers = { "X-Release", "Cache-Control" } };
    const struct http_query with_text = { .text = "needle" };

    if (size > SIZE_MAX_SENT)
        return 0;
    ask(data, size, &plain);
    ask(data, size, &with_text);
    return 0;
}
