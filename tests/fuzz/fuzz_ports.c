/* A table of sockets with anything in its lines, and addresses of any text. */
#include <stdint.h>
#include <string.h>

#include "stage/ports.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ports_address address = { .port = 8000 };
    struct ports_socket found;
    struct fault why;
    char line[2048];

    if (size >= sizeof line)
        return 0;
    memcpy(line, data, size);
    line[size] = '\0';
    fault_clear(&why);
    if (ports_address(line, 8000, &address, &why) < 0 && why.count != 1)
        __builtin_trap();
    if (ports_parse(line, &found) &&
        ports_collide(&found.address, &address) != ports_collide(&address, &found.address))
        __builtin_trap();
    return 0;
}
