/*
 * The table of every key. One row gives the parser, the check, `freshinit check`, the help and the
 * man page; sources of values are kept in the order of its rows.
 */
#ifndef PLAN_KEYS_H
#define PLAN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/words.h"

/* KEY_STAGE values lie in struct stage_plan, those of the others in struct plan. */
enum key_section { KEY_FRESHINIT, KEY_SERVER, KEY_HEALTH, KEY_STAGE };

enum key_type {
    KEY_TEXT,     /* const char * */
    KEY_WORDS,    /* struct words */
    KEY_BOOL,     /* bool */
    KEY_DURATION, /* int64_t, milliseconds */
    KEY_AUTO,     /* the same, or "auto": -1 until the plan settles it */
    KEY_NUMBER,   /* int64_t, least to most */
    KEY_MODE,     /* unsigned, octal */
    KEY_CHOICE,   /* an enum, in the order of choices */
    KEY_SET,      /* unsigned, one bit for each of choices */
    KEY_USER,     /* struct identity */
    KEY_SIGNAL,   /* int, 0 for "auto" */
    KEY_STATUSES, /* bool[256] */
    KEY_ACTION    /* the subject of a stage; its one bit of actions is the action */
};

struct key {
    enum key_section section;
    enum key_type type;
    const char *name;
    uint16_t offset;
    uint16_t has_offset;  /* of the bool that says "written"; 0: there is none */
    unsigned actions;     /* KEY_STAGE: bits of enum action that may have it */
    const char *fallback; /* the default as text, or NULL */
    const char *choices;  /* words, for KEY_CHOICE and KEY_SET */
    int32_t least;
    int32_t most;
    const char *help; /* one sentence without a full stop; none in the static build */
};

/* The rows of one section lie together; a key's place among them is its place among the sources. */
const struct key *keys_first(enum key_section section, size_t *out_count);

/* NULL when there is none of that name. */
const struct key *keys_find(enum key_section section, const char *name);

/* The place among the sources of its plan or its stage. */
size_t keys_place(const struct key *key);

/* How many sources a plan (not stage) or a stage has. */
size_t keys_sources(enum key_section section);

/* "freshinit", "server", "health", "stage". */
const char *keys_section_name(enum key_section section);

/* "clear", ... of enum action; "" for none. */
const char *keys_action_name(unsigned action);

#endif
