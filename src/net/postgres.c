/* Owns the first words of the postgres protocol (version 3). Never logs in with a password. */
#include "net/postgres.h"

#include <stdio.h>
#include <string.h>

#include "net/dial.h"

enum {
    PROTOCOL_VERSION = 3 << 16,
    /* More than any message before the first query; what was before version 3 shows as more. */
    MESSAGE_MAX = 64 * 1024,
    /* Of a message; the rest is passed over. */
    KEPT_MAX = 1024,
    MESSAGES_MAX = 256
};

struct message {
    unsigned char type;
    size_t size; /* of body */
    unsigned char body[KEPT_MAX];
};

static void put_number(unsigned char *out, uint32_t number)
{
    out[0] = (unsigned char)(number >> 24);
    out[1] = (unsigned char)(number >> 16);
    out[2] = (unsigned char)(number >> 8);
    out[3] = (unsigned char)number;
}

static uint32_t get_number(const unsigned char *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static int send_startup(struct wire *wire, const struct url *url, struct fault *why)
{
    const char *user = url->user[0] != '\0' ? url->user : "postgres";
    const char *database = url->path[0] == '/' && url->path[1] != '\0' ? url->path + 1 : user;
    unsigned char packet[8 + URL_PART_MAX + URL_TEXT_MAX + 64];
    char *text = (char *)packet + 8;

    /* Each word ends with a zero byte, and so does the list: the last one is snprintf's own. */
    int length =
        snprintf(text, sizeof packet - 8, "user%c%s%cdatabase%c%s%c", 0, user, 0, 0, database, 0);
    size_t size = 8 + (size_t)length + 1;
    put_number(packet, (uint32_t)size);
    put_number(packet + 4, PROTOCOL_VERSION);
    return wire_send(wire, packet, size, why);
}

static int next_message(struct wire *wire, struct message *out, struct fault *why)
{
    unsigned char head[5];

    if (wire_bytes(wire, head, sizeof head, why) < 0)
        return -1;
    uint32_t size = get_number(head + 1);
    out->type = head[0];
    if (!strchr("RESKNvZ", out->type) || out->type == '\0' || size < 4 || size > MESSAGE_MAX)
        return fault_set(why, "this is no postgres server, or one that can't take a session yet");
    size -= 4;
    out->size = size < KEPT_MAX ? size : KEPT_MAX;
    if (wire_bytes(wire, out->body, out->size, why) < 0)
        return -1;
    return wire_skip(wire, size - out->size, why);
}

/* The field `code` of an ErrorResponse as text, or "". */
static void read_field(const struct message *message, char code, char *out, size_t out_size)
{
    const unsigned char *next = message->body;
    const unsigned char *end = next + message->size;

    out[0] = '\0';
    while (next < end && *next != '\0') {
        const unsigned char *stop = memchr(next, '\0', (size_t)(end - next));
        int length = (int)((stop ? stop : end) - next) - 1;
        if (*next == (unsigned char)code) {
            snprintf(out, out_size, "%.*s", length, (const char *)next + 1);
            return;
        }
        next += length + 2;
    }
}

static int judge_error(const struct message *message, const char *database, struct fault *why)
{
    char state[8];
    char text[200];

    read_field(message, 'C', state, sizeof state);
    read_field(message, 'M', text, sizeof text);
    bool is_short_of = strncmp(state, "53", 2) == 0;
    bool is_not_up = strncmp(state, "57", 2) == 0;
    bool is_missing = database && strcmp(state, "3D000") == 0;
    if (strlen(state) != 5)
        return fault_set(why, "postgres answered with an error that has no code");
    if (is_short_of || is_not_up || is_missing)
        return fault_set(why, "postgres: %s (%s)", text, state);
    return 0;
}

int postgres_receive(struct wire *wire, const char *database, struct fault *why)
{
    struct message message;

    for (int i = 0; i < MESSAGES_MAX; i++) {
        if (next_message(wire, &message, why) < 0)
            return -1;
        if (message.type == 'E')
            return judge_error(&message, database, why);
        if (message.type == 'Z')
            return 0;
        /* Zero is "you are in": the session, and so the database, is still to be opened. */
        if (message.type == 'R' && message.size >= 4 && get_number(message.body) != 0)
            return 0;
    }
    return fault_set(why, "postgres sent %d messages and none that counts", MESSAGES_MAX);
}

int postgres_ready(const struct url *url, int64_t deadline_ms, struct fault *why)
{
    bool has_database = url->path[0] == '/' && url->path[1] != '\0';
    struct wire wire;
    int fd = dial_url(url, deadline_ms, why);

    if (fd < 0)
        return -1;
    wire_open(&wire, fd, deadline_ms);
    int result = send_startup(&wire, url, why);
    if (result == 0)
        result = postgres_receive(&wire, has_database ? url->path + 1 : NULL, why);
    /* A server that waits for a password logs a goodbye, but not an end. */
    wire_close(&wire);
    return result;
}
