/*
 * Reads the release from a file or from .git. Trusts neither: a commit must look like one.
 */
#include "plan/release.h"

#include <stdio.h>
#include <string.h>

#include "base/fdio.h"

enum { SHA1_LENGTH = 40, SHA256_LENGTH = 64, PATH_SIZE = 1024, REFS_SIZE = 16 * 1024 };

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

static bool take_commit(const char *text, char out[RELEASE_SIZE])
{
    size_t length = strspn(text, "0123456789abcdef");

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
