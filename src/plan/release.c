/*
 * Reads the release from a file, the environment, a seal or .git. Trusts none: a commit must look
 * like one.
 */
#include "plan/release.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "plan/expand.h"

#define HEX "0123456789abcdef"
enum {
    SHA1_LENGTH = 40,
    SHA256_LENGTH = 64,
    SHORT_LENGTH = 7,
    PATH_SIZE = 1024,
    REFS_SIZE = 16 * 1024
};

bool release_is_valid(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return length > 0 && length < RELEASE_SIZE;
}

static void cut_line(char *text)
{
    text[strcspn(text, "\r\n")] = '\0';
    for (size_t length = strlen(text); length > 0 && text[length - 1] == ' ';)
        text[--length] = '\0';
}

int release_from_file(const char *path, char out[RELEASE_SIZE], struct fault *why)
{
    char text[2 * RELEASE_SIZE];

    if (fdio_read_file(path, text, sizeof text) < 0)
        return fault_errno(why, "release_file %s", path);
    cut_line(text);
    if (!release_is_valid(text))
        return fault_set(why,
                         "release_file %s: the first line is no release (1 to %d characters "
                         "without spaces)",
                         path, RELEASE_SIZE - 1);
    memcpy(out, text, strlen(text) + 1);
    return 0;
}

const char *release_from_environment(char *const *environment, char out[RELEASE_SIZE])
{
    static const char *const names[] = { "GIT_COMMIT_HASH",
                                         "GIT_COMMIT",
                                         "GIT_SHA",
                                         "COMMIT_SHA",
                                         "SOURCE_COMMIT",
                                         "SOURCE_VERSION",
                                         "GITHUB_SHA",
                                         "CI_COMMIT_SHA",
                                         "HEROKU_SLUG_COMMIT",
                                         "RENDER_GIT_COMMIT",
                                         "VERCEL_GIT_COMMIT_SHA",
                                         "RAILWAY_GIT_COMMIT_SHA",
                                         "K_REVISION" };

    for (size_t i = 0; i < COUNT(names); i++) {
        const char *value = expand_lookup(environment, names[i], strlen(names[i]));
        if (!value || !release_is_valid(value))
            continue;
        memcpy(out, value, strlen(value) + 1);
        return names[i];
    }
    return NULL;
}

const char *release_from_seal(const char *path, char out[RELEASE_SIZE])
{
    char text[sizeof RELEASE_SEAL + RELEASE_SIZE];
    const size_t length = sizeof RELEASE_SEAL - 1;

    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
    if (fd < 0)
        return NULL;
    ssize_t got = fdio_read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    cut_line(text);
    if (strncmp(text, RELEASE_SEAL, length) != 0 || !release_is_valid(text + length))
        return NULL;
    memcpy(out, text + length, strlen(text + length) + 1);
    return path;
}

bool release_is_same(const char *left, const char *right)
{
    size_t shorter = strlen(left) < strlen(right) ? strlen(left) : strlen(right);

    if (strcmp(left, right) == 0)
        return true;
    return shorter >= SHORT_LENGTH && strspn(left, HEX) == strlen(left) &&
           strspn(right, HEX) == strlen(right) && strncmp(left, right, shorter) == 0;
}

static bool take_commit(const char *text, char out[RELEASE_SIZE])
{
    size_t length = strspn(text, HEX);

    if ((length != SHA1_LENGTH && length != SHA256_LENGTH) || !strchr(" \r\n", text[length]))
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

/* packed-refs: "COMMIT refs/heads/main" on each line. Only its first part is read. */
static bool take_packed(const char *folder, const char *ref, char out[RELEASE_SIZE])
{
    char path[PATH_SIZE];
    char text[REFS_SIZE];

    snprintf(path, sizeof path, "%s/.git/packed-refs", folder);
    if (fdio_read_file(path, text, sizeof text) < 0)
        return false;
    for (char *line = text; *line != '\0'; line += strspn(line, "\n")) {
        size_t length = strcspn(line, "\n");
        size_t commit = strcspn(line, " \n");
        if (length == commit + 1 + strlen(ref) && strncmp(line + commit + 1, ref, strlen(ref)) == 0)
            return take_commit(line, out);
        line += length;
    }
    return false;
}

bool release_from_git(const char *folder, char out[RELEASE_SIZE])
{
    char path[PATH_SIZE];
    char head[512];
    char text[512];

    snprintf(path, sizeof path, "%s/.git/HEAD", folder);
    if (fdio_read_file(path, head, sizeof head) < 0)
        return false;
    cut_line(head);
    if (strncmp(head, "ref: ", 5) != 0)
        return take_commit(head, out);
    const char *ref = head + 5;
    if (strncmp(ref, "refs/", 5) != 0 || strstr(ref, ".."))
        return false;
    snprintf(path, sizeof path, "%s/.git/%s", folder, ref);
    if (fdio_read_file(path, text, sizeof text) >= 0)
        return take_commit(text, out);
    return take_packed(folder, ref, out);
}
