/* The table of keys, and the man page that is made from it (`test_keys --write` makes it anew). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "base/text.h"
#include "plan/keys.h"
#include "plan/values.h"
#include "planned.h"

static const char man[] = "src/freshinit.ini.5.scd";
static const char begin[] = "; keys begin: made by test_keys --write\n";
static const char end[] = "; keys end\n";

static char page[64 * 1024];
static char made[sizeof page];
static size_t used;

/* scdoc takes these for marks. */
static void add(const char *text)
{
    for (; *text != '\0' && used + 3 < sizeof made; text++) {
        if (strchr("\\*_<>#", *text))
            made[used++] = '\\';
        made[used++] = *text;
    }
    made[used] = '\0';
}

static void add_raw(const char *text)
{
    used += (size_t)snprintf(made + used, sizeof made - used, "%s", text);
}

static const char *type_name(const struct key *key)
{
    switch (key->type) {
    case KEY_TEXT:
        return "text";
    case KEY_WORDS:
    case KEY_ACTION:
        return "words";
    case KEY_BOOL:
        return "yes or no";
    case KEY_DURATION:
        return "time";
    case KEY_AUTO:
        return "time or auto";
    case KEY_NUMBER:
        return "number";
    case KEY_MODE:
        return "octal";
    case KEY_CHOICE:
        return "one of";
    case KEY_SET:
        return "any of";
    case KEY_USER:
        return "user[:group]";
    case KEY_SIGNAL:
        return "signal or auto";
    case KEY_STATUSES:
        return "exit statuses";
    }
    return "";
}

static void add_key(const struct key *key)
{
    add_raw("*");
    add(key->name);
    add_raw("* (");
    add(type_name(key));
    if (key->choices) {
        add(" ");
        add(key->choices);
    }
    add_raw(")\n\t");
    add(key->help);
    add_raw(".");
    if (key->fallback) {
        add_raw(" Default: ");
        add(key->fallback);
        add_raw(".");
    }
    if (key->section == KEY_STAGE && key->type != KEY_ACTION) {
        const char *comma = " For ";
        for (unsigned action = 1; keys_action_name(action)[0] != '\0'; action++) {
            if ((key->actions & (1U << action)) == 0)
                continue;
            add(comma);
            add(keys_action_name(action));
            comma = ", ";
        }
        add_raw(".");
    }
    add_raw("\n\n");
}

/* The page with its keys made anew, in `made`. */
static void make_page(void)
{
    const char *start = strstr(page, begin);
    const char *rest = strstr(page, end);

    assert_true(start && rest && start < rest);
    used = 0;
    add_raw("");
    memcpy(made, page, (size_t)(start - page));
    used = (size_t)(start - page);
    add_raw(begin);
    for (enum key_section section = KEY_FRESHINIT; section <= KEY_STAGE; section++) {
        size_t count;
        const struct key *key = keys_first(section, &count);
        add_raw("\n## [");
        add_raw(keys_section_name(section));
        add_raw(section == KEY_STAGE ? " NAME]\n\n" : "]\n\n");
        for (size_t i = 0; i < count; i++)
            add_key(&key[i]);
    }
    add_raw(rest);
}

static void the_man_page_has_every_key_as_it_is(void **state)
{
    (void)state;
    assert_true(fdio_read_file(man, page, sizeof page) > 0);
    make_page();
    if (strcmp(page, made) != 0)
        fail_msg("%s is not made from the keys of today: run test_keys --write", man);
}

static void rows_are_whole(void **state)
{
    (void)state;
    for (enum key_section section = KEY_FRESHINIT; section <= KEY_STAGE; section++) {
        size_t count;
        const struct key *key = keys_first(section, &count);
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++) {
            size_t length = strlen(key[i].help);
            assert_ptr_equal(keys_find(section, key[i].name), &key[i]);
            assert_true(length > 10 && key[i].help[length - 1] != '.');
            assert_int_equal(key[i].actions != 0, section == KEY_STAGE);
            assert_int_equal(key[i].choices != NULL,
                             key[i].type == KEY_CHOICE || key[i].type == KEY_SET);
            if (key[i].type == KEY_ACTION)
                assert_int_equal(__builtin_popcount(key[i].actions), 1);
        }
    }
    assert_null(keys_find(KEY_SERVER, "log"));
    assert_null(keys_find(KEY_FRESHINIT, ""));
}

static void sources_have_a_place_each(void **state)
{
    bool is_taken[2][64] = { { false } };

    (void)state;
    for (enum key_section section = KEY_FRESHINIT; section <= KEY_STAGE; section++) {
        size_t count;
        const struct key *key = keys_first(section, &count);
        for (size_t i = 0; i < count; i++) {
            size_t place = keys_place(&key[i]);
            assert_true(place < keys_sources(section) && place < 64);
            assert_false(is_taken[section == KEY_STAGE][place]);
            is_taken[section == KEY_STAGE][place] = true;
        }
    }
}

static void defaults_are_values(void **state)
{
    struct fault why;

    (void)state;
    fault_clear(&why);
    assert_int_equal(arena_open(&why), 0);
    for (enum key_section section = KEY_FRESHINIT; section <= KEY_STAGE; section++) {
        size_t count;
        const struct key *key = keys_first(section, &count);
        void *base =
            arena_take(section == KEY_STAGE ? sizeof(struct stage_plan) : sizeof(struct plan));
        for (size_t i = 0; i < count; i++)
            if (key[i].fallback)
                assert_int_equal(values_set(&key[i], base, key[i].fallback, &why), 0);
    }
}

static int write_page(void)
{
    if (fdio_read_file(man, page, sizeof page) < 0)
        return 1;
    make_page();
    planned_write(man, made, used);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(sources_have_a_place_each),
        cmocka_unit_test(defaults_are_values),
        cmocka_unit_test(the_man_page_has_every_key_as_it_is),
    };

    if (argc == 2 && strcmp(argv[1], "--write") == 0)
        return write_page();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
