/* What a postgres server may say to a start-up packet, and what of it means ready. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/postgres.h"
#include "peer.h"

#define BYTES(text) text, sizeof(text) - 1
#define ERROR(size, state) "E\0\0\0" size "SFATAL\0C" state "\0Mwhy\0\0"
#define LET_IN "R\0\0\0\010\0\0\0\0"
#define ASKED "R\0\0\0\010\0\0\0\003"

static struct fault why;

static int receive(const void *bytes, size_t size, const char *database)
{
    struct wire wire;
    struct peer peer;

    fault_clear(&why);
    peer_open(&peer, bytes, size);
    wire_open(&wire, peer.near, clock_ms() + 2000);
    int result = postgres_receive(&wire, database, &why);
    wire_close(&wire);
    peer_close(&peer);
    return result;
}

static void every_answer_is_judged(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *database;
        const char *fault; /* NULL: ready */
    } rows[] = {
        { BYTES(ASKED), NULL, NULL },
        { BYTES(LET_IN "S\0\0\0\010a\0b\0Z\0\0\0\005I"), NULL, NULL },
        { BYTES(LET_IN ERROR("\030", "3D000")), NULL, NULL },
        { BYTES(LET_IN ERROR("\030", "3D000")), "app", "why (3D000)" },
        { BYTES(ERROR("\030", "57P03")), NULL, "why (57P03)" },
        { BYTES(ERROR("\030", "57P01")), NULL, "57P01" },
        { BYTES(ERROR("\030", "53300")), NULL, "53300" },
        { BYTES(ERROR("\030", "28P01")), NULL, NULL },
        { BYTES(ERROR("\030", "28000")), "app", NULL },
        { BYTES("E\0\0\0\006SX"), NULL, "no code" },
        { BYTES("E\0\0\0\004"), NULL, "no code" },
        { BYTES("Ecould not fork new process"), NULL, "no postgres server" },
        { BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), NULL, "no postgres server" },
        { BYTES("N\0\0\0\004" ASKED), NULL, NULL },
        { BYTES(LET_IN), NULL, "closed" },
        { BYTES("R\0\0\0\003"), NULL, "no postgres server" },
        { BYTES("R\0\0"), NULL, "closed" },
        { BYTES(""), NULL, "closed" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int expected = rows[i].fault ? -1 : 0;
        assert_int_equal(receive(rows[i].bytes, rows[i].size, rows[i].database), expected);
        if (rows[i].fault)
            assert_non_null(strstr(fault_line(&why, 0), rows[i].fault));
    }
}

static void a_long_notice_is_passed_over(void **state)
{
    static char bytes[5 + 8000 + sizeof ASKED - 1] = "N";

    (void)state;
    bytes[3] = (char)((8000 + 4) >> 8);
    bytes[4] = (char)((8000 + 4) & 0xff);
    memset(bytes + 5, 'x', 8000);
    memcpy(bytes + 5 + 8000, ASKED, sizeof ASKED - 1);
    assert_int_equal(receive(bytes, sizeof bytes, NULL), 0);
}

static void a_server_that_only_chats_has_an_end(void **state)
{
    static char bytes[5 * 1000];

    (void)state;
    for (size_t at = 0; at < sizeof bytes; at += 5)
        memcpy(bytes + at, "N\0\0\0\004", 5);
    assert_int_equal(receive(bytes, sizeof bytes, NULL), -1);
    assert_non_null(strstr(fault_line(&why, 0), "none that counts"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_is_judged),
        cmocka_unit_test(a_long_notice_is_passed_over),
        cmocka_unit_test(a_server_that_only_chats_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
