/*
 * Users, groups and capabilities, with libcap-ng. Never goes on as root when a change was refused.
 */
#include "proc/privs.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/* libcap-ng wants it without "cap_"; people write it in either way. */
static int capability_number(const char *word)
{
    return capng_name_to_capability(strncasecmp(word, "cap_", 4) == 0 ? word + 4 : word);
}

int privs_check(const struct words *capabilities, struct fault *why)
{
    int result = 0;

    for (size_t i = 0; i < capabilities->count; i++)
        if (capability_number(capabilities->items[i]) < 0)
            result = fault_set(why,
                               "\"%s\" is no capability: write it like "
                               "net_bind_service",
                               capabilities->items[i]);
    return result;
}

static bool is_already(const struct identity *user)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;

    return getresuid(&real, &effective, &saved) == 0 && real == user->uid &&
           effective == user->uid && saved == user->uid &&
           getresgid(&real_group, &effective_group, &saved_group) == 0 && real_group == user->gid &&
           effective_group == user->gid && saved_group == user->gid;
}

static int refuse(const struct identity *user, struct fault *why)
{
    char variable[64] = "";

    if (geteuid() != 0)
        snprintf(variable, sizeof variable, " (or override it, like FRESHINIT_SERVER_USER=%u)",
                 geteuid());
    return fault_errno(
        why,
        "can't become user \"%s\" (uid %u, gid %u) as uid %u: start the container as "
        "root with SETUID and SETGID, or as that user, or drop the line user =%s",
        user->text, user->uid, user->gid, geteuid(), variable);
}

/* The set that stays; what the process itself does not have can't stay. */
static int choose_kept(const struct words *kept, struct fault *why)
{
    capng_clear(CAPNG_SELECT_ALL);
    for (size_t i = 0; kept && i < kept->count; i++) {
        int number = capability_number(kept->items[i]);
        if (number < 0)
            return fault_set(why, "\"%s\" is no capability", kept->items[i]);
        capng_update(CAPNG_ADD,
                     CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE | CAPNG_BOUNDING_SET |
                         CAPNG_AMBIENT,
                     (unsigned)number);
    }
    return 0;
}

/* libcap-ng remembers which process looked first, and a child is another one. */
static int look_at_ourselves(void)
{
    capng_setpid((int)getpid());
    return capng_get_caps_process();
}

static bool may(int capability)
{
    return prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1 &&
           capng_have_capability(CAPNG_EFFECTIVE, (unsigned)capability);
}

/* Emptying the bounding set needs SETPCAP. Without it nothing is lost: with no_new_privs, which is
 * the default here, no file can give a capability back. */
static int drop_bounding(const struct privs *wanted, bool may_setpcap, struct fault *why)
{
    if (may_setpcap) {
        if (capng_apply(CAPNG_SELECT_BOUNDS) < 0)
            return fault_errno(why, "can't empty the capability bounding set");
        return 0;
    }
    if (!wanted->no_new_privs)
        log_event(LOG_WARN, "privs.bounding", LOG_NONE,
                  "the capability bounding set stays: emptying it needs SETPCAP");
    return 0;
}

static int switch_user(const struct privs *wanted, struct fault *why)
{
    const struct identity *user = wanted->user;

    if (look_at_ourselves() < 0)
        return fault_set(why, "can't read our own capabilities: is /proc mounted?");
    bool may_setpcap = may(CAP_SETPCAP);
    if (setgroups(user->group_count, user->groups) < 0)
        return refuse(user, why);
    if (choose_kept(wanted->capabilities, why) < 0)
        return -1;
    if (drop_bounding(wanted, may_setpcap, why) < 0)
        return -1;
    errno = 0;
    if (capng_change_id((int)user->uid, (int)user->gid, CAPNG_NO_FLAG) < 0) {
        if (wanted->capabilities && wanted->capabilities->count > 0)
            return fault_errno(why,
                               "can't become user \"%s\" with the capabilities that are to stay: "
                               "does the container have them (--cap-add)?",
                               user->text);
        return refuse(user, why);
    }
    if (wanted->capabilities && wanted->capabilities->count > 0 &&
        capng_apply(CAPNG_SELECT_AMBIENT) < 0)
        return fault_errno(why, "can't keep the capabilities as ambient ones");
    if (!is_already(user))
        return refuse(user, why);
    return 0;
}

static bool is_kept(const struct words *kept, int capability)
{
    for (size_t i = 0; kept && i < kept->count; i++)
        if (capability_number(kept->items[i]) == capability)
            return true;
    return false;
}

/* An ordinary user's exec keeps the ambient ones alone: a supervisor, or a file, gave them. */
static int shed_ambient(const struct privs *wanted, struct fault *why)
{
    for (int number = 0; number <= CAP_LAST_CAP; number++) {
        bool has = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, number, 0, 0) == 1;
        if (has && !is_kept(wanted->capabilities, number) &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, number, 0, 0) < 0)
            return fault_errno(why, "can't give up capability %d", number);
    }
    return 0;
}

int privs_may_become(const struct identity *user, struct fault *why)
{
    if (!user || !user->text || (is_already(user) && user->uid != 0))
        return 0;
    if (look_at_ourselves() < 0)
        return fault_set(why, "can't read our own capabilities: is /proc mounted?");
    if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID) &&
        capng_have_capability(CAPNG_EFFECTIVE, CAP_SETGID))
        return 0;
    errno = EPERM;
    return refuse(user, why);
}

int privs_drop(const struct privs *wanted, struct fault *why)
{
    if (wanted->user && wanted->user->text) {
        bool is_done = is_already(wanted->user) && wanted->user->uid != 0;
        if ((is_done ? shed_ambient(wanted, why) : switch_user(wanted, why)) < 0)
            return -1;
    }
    if (wanted->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return fault_errno(why, "can't set no_new_privs");
    return 0;
}

/* Only what we have can be kept. */
static void keep(const bool *has, int capability)
{
    if (has[capability])
        capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, (unsigned)capability);
}

int privs_keep(const struct privs_kept *kept, struct fault *why)
{
    static const int for_servers[] = { CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_CHOWN };
    static const int for_stages[] = { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_CHOWN,
                                      CAP_SETUID,       CAP_SETGID,          CAP_SETPCAP };
    bool has[CAP_LAST_CAP + 1];

    if (look_at_ourselves() < 0)
        return fault_set(why, "can't read our own capabilities: is /proc mounted?");
    for (int i = 0; i <= CAP_LAST_CAP; i++)
        has[i] = capng_have_capability(CAPNG_PERMITTED, (unsigned)i);
    capng_clear(CAPNG_SELECT_CAPS);
    /* Who is without KILL signals as the server's user. */
    keep(has, has[CAP_KILL] ? CAP_KILL : CAP_SETUID);
    if (kept->for_ports)
        keep(has, CAP_NET_BIND_SERVICE);
    for (size_t i = 0; kept->for_servers && i < COUNT(for_servers); i++)
        keep(has, for_servers[i]);
    for (size_t i = 0; kept->for_stages && i < COUNT(for_stages); i++)
        keep(has, for_stages[i]);
    for (size_t i = 0; kept->for_servers && i < kept->capabilities->count; i++)
        keep(has, capability_number(kept->capabilities->items[i]));
    if (capng_apply(CAPNG_SELECT_CAPS) < 0)
        return fault_errno(why, "can't give up our own capabilities");
    return 0;
}

/* The real and the saved one stay root's, so there is a way back, and nobody may signal or trace us
 * more than before. */
bool privs_act_as(uid_t user)
{
    return user != 0 && geteuid() == 0 && setresuid((uid_t)-1, user, (uid_t)-1) == 0;
}

void privs_be_root(void)
{
    if (setresuid((uid_t)-1, 0, (uid_t)-1) < 0)
        log_event(LOG_WARN, "privs.kept", LOG_NONE, "can't be root again: %s", strerror(errno));
}

const char *privs_names(uint64_t set, char *out, size_t out_size)
{
    size_t used = 0;

    out[0] = '\0';
    /* It knows no name before its first look at a process. */
    if (look_at_ourselves() < 0)
        return out;
    for (unsigned i = 0; i < 64 && used + 1 < out_size; i++) {
        char number[16];
        if (!(set >> i & 1))
            continue;
        const char *name = capng_capability_to_name(i);
        if (!name) {
            snprintf(number, sizeof number, "cap_%u", i);
            name = number;
        }
        int length = snprintf(out + used, out_size - used, "%s%s", used > 0 ? " " : "", name);
        used += length > 0 ? (size_t)length : 0;
    }
    return out;
}

void privs_hand_streams(const struct identity *user)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        struct stat st;
        if (fstat(fd, &st) < 0 || st.st_uid == user->uid)
            continue;
        /* Never a file or a device such as /dev/null, which others share. */
        if (!S_ISFIFO(st.st_mode) && !(S_ISCHR(st.st_mode) && isatty(fd)))
            continue;
        if (fchown(fd, user->uid, (gid_t)-1) < 0)
            log_event(LOG_DEBUG, "streams.kept", LOG_FIELDS(LOG_NUMBER("fd", fd)),
                      "descriptor %d stays with uid %u: %s", fd, st.st_uid, strerror(errno));
    }
}
