/* Owns how a server is named and where its password comes from. Never prints a secret. */
#include "net/login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fdio.h"

const char *login_name(const struct url *url, char *out, size_t out_size)
{
    char text[URL_TEXT_MAX + URL_PART_MAX + 32];
    char db[16];
    size_t kind = strcspn(url->scheme, "+");
    const char *place = strchr(url_public(url, text, sizeof text), ':') + 1;

    if (strncmp(place, "//", 2) == 0)
        place += 2;
    if (!url_query(url, "db", db, sizeof db))
        db[0] = '\0';
    snprintf(out, out_size, "%.*s %s%s%s", (int)kind, url->scheme, place, db[0] ? "?db=" : "", db);
    size_t length = strlen(out);
    if (length > 0 && out[length - 1] == '/')
        out[length - 1] = '\0';
    return out;
}

int login_secret(const struct login *login, char *out, size_t out_size, struct fault *why)
{
    if (!login->password_file) {
        snprintf(out, out_size, "%s", login->url->password);
        return 0;
    }
    ssize_t length = fdio_read_file(login->password_file, out, out_size);
    if (length < 0)
        return fault_errno(why, "read password_file %s", login->password_file);
    out[strcspn(out, "\r\n")] = '\0';
    if (out[0] == '\0')
        return fault_set(why, "password_file %s is empty", login->password_file);
    return 0;
}
