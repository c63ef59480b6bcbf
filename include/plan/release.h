/* Which release it is, where the configuration does not say it. */
#ifndef PLAN_RELEASE_H
#define PLAN_RELEASE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/fault.h"

enum { RELEASE_SIZE = 129 };

/* Printable ASCII without spaces, at most 128 characters: it goes into keys and headers. */
bool release_is_valid(const char *text);

/* The first line of a file. */
MUST_USE int release_from_file(const char *path, char out[RELEASE_SIZE], struct fault *why);

/* What platforms and build systems set, GIT_COMMIT_HASH first. Returns the name, or NULL. */
const char *release_from_environment(char *const *environment, char out[RELEASE_SIZE]);

/* The first line of a seal: RELEASE_SEAL and the release. Returns `path`, or NULL. */
#define RELEASE_SEAL "freshinit seal 1 "
const char *release_from_seal(const char *path, char out[RELEASE_SIZE]);

/* Are they the same? One that is the begin of the other's commit, as git shortens it, is. */
bool release_is_same(const char *left, const char *right);

/* The commit that `folder`/.git/HEAD names, without git; false when there is none. */
bool release_from_git(const char *folder, char out[RELEASE_SIZE]);

#endif
