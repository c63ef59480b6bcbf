/* Once per release: the marker's text, the turn, and redis' own way to keep it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "peer.h"
#include "stage/once_redis.h"

static struct fault why;

/* A store that plays what other replicas do between two looks. */
struct shelf {
    const char *markers[4]; /* what each look finds; the last one stays */
    int locks[4];           /* what each try answers; the last one stays */
    size_t looked;
    size_t tried;
    size_t given_back;
};

static int shelf_read(void *self, const struct once_turn *once, char *out, struct fault *unused)
{
    struct shelf *shelf = self;

    (void)once;
    (void)unused;
    snprintf(out, ONCE_MARKER_MAX, "%s", shelf->markers[shelf->looked < 3 ? shelf->looked : 3]);
    shelf->looked++;
    return 0;
}

static int shelf_lock(void *self, const struct once_turn *once, char *holder, struct fault *unused)
{
    struct shelf *shelf = self;

    (void)once;
    (void)unused;
    snprintf(holder, ONCE_TOKEN_MAX, "web-2 abc");
    return shelf->locks[shelf->tried < 3 ? shelf->tried++ : 3];
}

static int shelf_unlock(void *self, const struct once_turn *once, struct fault *unused)
{
    struct shelf *shelf = self;

    (void)once;
    (void)unused;
    shelf->given_back++;
    return 0;
}

static struct once_turn turn_of(const char *id, int64_t time_ms)
{
    struct once_turn turn = { .deadline_ms = clock_ms() + time_ms, .is_release = true };

    fault_clear(&why);
    snprintf(turn.self.id, sizeof turn.self.id, "%s", id);
    snprintf(turn.self.phase, sizeof turn.self.phase, "start");
    snprintf(turn.self.host, sizeof turn.self.host, "web-1");
    snprintf(turn.token, sizeof turn.token, "web-1 1234");
    snprintf(turn.lock_key, sizeof turn.lock_key, "freshinit:x:lock");
    snprintf(turn.marker_key, sizeof turn.marker_key, "freshinit:x:marker");
    return turn;
}

#define DONE "100 web-2 start r1\n"
#define OTHER "100 web-2 start r0\n"

static void the_turn_goes_to_one_and_the_others_wait(void **state)
{
    static const struct {
        struct shelf shelf;
        int64_t time_ms;
        int result;
        size_t given_back;
    } rows[] = {
        /* Free, and not done: ours. */
        { { .markers = { "", "", "", "" }, .locks = { 1 } }, 2000, 1, 0 },
        { { .markers = { OTHER, OTHER, OTHER, OTHER }, .locks = { 1 } }, 2000, 1, 0 },
        /* Done long ago. */
        { { .markers = { DONE } }, 2000, 0, 0 },
        /* Another is doing it: its marker is waited for. */
        { { .markers = { "", "", DONE }, .locks = { 0, 0, 0, 0 } }, 2000, 0, 0 },
        /* Another was doing it and died: its lock ends, and it is ours. */
        { { .markers = { "", "", "", "" }, .locks = { 0, 0, 1 } }, 2000, 1, 0 },
        /* Another finished between our look and our lock. */
        { { .markers = { "", DONE }, .locks = { 1 } }, 2000, 0, 1 },
        /* Another never finishes. */
        { { .markers = { "", "", "", "" }, .locks = { 0, 0, 0, 0 } }, 420, -1, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct shelf shelf = rows[i].shelf;
        struct once_turn turn = turn_of("r1", rows[i].time_ms);
        const struct once_store store = {
            .self = &shelf, .read = shelf_read, .lock = shelf_lock, .unlock = shelf_unlock
        };
        assert_int_equal(once_claim(&turn, &store, &why), rows[i].result);
        assert_int_equal(shelf.given_back, rows[i].given_back);
        if (rows[i].result < 0)
            assert_non_null(strstr(fault_line(&why, 0), "web-2 is doing it"));
    }
}

static void a_marker_lists_id_and_phase(void **state)
{
    static const char marker[] = "200 b start r2\nnonsense\n\n-5 x start r9\n100 a ready r1\n"
                                 "50 c start with spaces";
    static const struct {
        const char *id;
        const char *phase;
        const char *host; /* NULL: not listed */
    } rows[] = {
        { "r2", "start", "b" },  { "r2", "ready", NULL }, { "r1", "ready", "a" },
        { "r", "start", NULL },  { "", "start", NULL },   { "with spaces", "start", "c" },
        { "r9", "start", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct once_mark mark = { 0 };
        bool is_listed = once_find(marker, rows[i].id, rows[i].phase, &mark);
        assert_int_equal(is_listed, rows[i].host != NULL);
        if (rows[i].host)
            assert_string_equal(mark.host, rows[i].host);
    }
}

static void the_last_eight_are_listed(void **state)
{
    struct once_turn turn = turn_of("", 1000);
    struct once_mark mark;
    char marker[ONCE_MARKER_MAX];

    (void)state;
    for (int i = 0; i < 12; i++) {
        /* Of the greatest length, so that the room is seen to be enough. */
        memset(turn.self.id, 'x', ONCE_ID_MAX);
        turn.self.id[0] = (char)('a' + i);
        memset(turn.self.host, 'h', ONCE_HOST_MAX - 1);
        once_marker(&turn, marker, sizeof marker);
        memcpy(turn.marker, marker, sizeof marker);
    }
    for (int i = 0; i < 12; i++) {
        turn.self.id[0] = (char)('a' + i);
        assert_int_equal(once_find(marker, turn.self.id, "start", &mark), i >= 4);
    }
}

static void names_of_stages_become_keys(void **state)
{
    static const struct {
        const char *name;
        const char *key;
    } rows[] = {
        { "cache", "freshinit:cache:lock" },
        { "my cache", "freshinit:my_cache:lock" },
        { "../x\n", "freshinit:.._x_:lock" },
        { "\xc3\xa9", "freshinit:__:lock" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char key[ONCE_KEY_MAX];
        once_key(rows[i].name, "lock", key);
        assert_string_equal(key, rows[i].key);
    }
}

static void redis_keeps_the_marker_only_when_all_went_well(void **state)
{
#define OURS "+OK\r\n$10\r\nweb-1 1234\r\n"
#define QUEUED "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"
    static const struct {
        const char *bytes;
        int result;
        const char *words; /* of the fault */
        const char *last;  /* what is sent at last */
    } rows[] = {
        { OURS QUEUED "*3\r\n+OK\r\n+OK\r\n:0\r\n", 0, NULL, "$4\r\nEXEC\r\n" },
        /* The lock is another's by now: nothing is sent. */
        { "+OK\r\n$5\r\nother\r\n", -1, "lock was lost",
          "$3\r\nGET\r\n$16\r\nfreshinit:x:lock\r\n" },
        { "+OK\r\n$-1\r\n", -1, "lock was lost", "$3\r\nGET\r\n$16\r\nfreshinit:x:lock\r\n" },
        /* It went while we looked: the marker is another's too. */
        { OURS QUEUED "*-1\r\n", -1, "lock was lost", "$4\r\nEXEC\r\n" },
        { OURS QUEUED "*0\r\n", -1, "an answer that redis does not give", "$4\r\nEXEC\r\n" },
        /* Refused at once: nothing was done. */
        { OURS "+OK\r\n-ERR unknown command 'FLUSHDB'\r\n+QUEUED\r\n+QUEUED\r\n-EXECABORT x\r\n",
          -1, "FLUSHDB refused", "$4\r\nEXEC\r\n" },
        /* Refused when it was to be done: the marker is taken back. */
        { OURS QUEUED "*3\r\n-ERR syntax error\r\n+OK\r\n:0\r\n", -1, "FLUSHDB refused",
          "$3\r\nDEL\r\n$18\r\nfreshinit:x:marker\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct redis redis;
        struct peer peer;
        const struct once_turn turn = turn_of("r1", 2000);
        peer_open(&peer, rows[i].bytes, strlen(rows[i].bytes));
        wire_open(&redis.wire, peer.near, clock_ms() + 2000);
        const char *const *flush = REDIS_WORDS("FLUSHDB", "ASYNC");
        assert_int_equal(once_redis_done(&redis, &turn, flush, &why), rows[i].result);
        if (rows[i].words)
            assert_non_null(strstr(fault_line(&why, 0), rows[i].words));
        const char *sent = peer_hear(&peer);
        const char *last = sent + strlen(sent) - strlen(rows[i].last);
        assert_string_equal(last, rows[i].last);
        redis_close(&redis);
        peer_close(&peer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_turn_goes_to_one_and_the_others_wait),
        cmocka_unit_test(a_marker_lists_id_and_phase),
        cmocka_unit_test(the_last_eight_are_listed),
        cmocka_unit_test(names_of_stages_become_keys),
        cmocka_unit_test(redis_keeps_the_marker_only_when_all_went_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
