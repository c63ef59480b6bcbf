/* Become the wanted user with the wanted capabilities, irrevocably. */
#ifndef PROC_PRIVS_H
#define PROC_PRIVS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/words.h"
#include "plan/plan.h"

struct privs {
    const struct identity *user;      /* NULL, or text NULL: nothing about identity is changed */
    const struct words *capabilities; /* that stay; NULL: none with a user, all without */
    bool no_new_privs;
};

/* Is every word the name of a capability? A fault for each that is not. */
MUST_USE int privs_check(const struct words *capabilities, struct fault *why);

/* Could privs_drop work, as far as it can be told before? Then nothing need be done in vain. */
MUST_USE int privs_may_become(const struct identity *user, struct fault *why);

/* Three outcomes for the user: switched, already that user, or refused (-1: run nothing). */
MUST_USE int privs_drop(const struct privs *wanted, struct fault *why);

/* What PID 1 itself still needs; the right to signal its children always. */
struct privs_kept {
    bool for_stages;  /* that clear, touch and run things as root or as another user */
    bool for_servers; /* that are started later, as another user */
    bool for_ports;   /* below 1024, that are bound again at a hand-over */
    const struct words *capabilities; /* the servers' own */
};

/* It stays who it is, without every other capability. */
MUST_USE int privs_keep(const struct privs_kept *kept, struct fault *why);

/* Acts as that user until privs_be_root: root without KILL may not signal its server, the server's
 * own user may. False: we are not root, or have no SETUID; then nothing has changed. */
bool privs_act_as(uid_t user);
void privs_be_root(void);

/* The names of a set of capabilities, one bit for each: "kill setuid". Returns `out`. */
const char *privs_names(uint64_t set, char *out, size_t out_size);

/* Pipes and terminals among the standard streams are given to the user, so that /dev/stdout
 * opens. */
void privs_hand_streams(const struct identity *user);

#endif
