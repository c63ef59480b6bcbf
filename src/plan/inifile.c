/*
 * Reads the ini file: the bytes and the shape of each line are checked here, inih takes names and
 * values apart. Knows no key.
 */
#include "plan/inifile.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/escape.h"
#include "base/fdio.h"
#include "base/text.h"

enum { CONTROL_DELETE = 0x7F };

/* One pass over a file. */
struct pass {
    const struct inifile *file;
    const struct inifile_handler *handler;
    struct fault *why;
    size_t at; /* the next byte */
    int line;
};

/* Only root may write `file` itself and in its directory. */
static bool is_roots_own(int fd, const char *path)
{
    char folder[256];
    struct stat file;
    struct stat holder;
    const char *slash = strrchr(path, '/');

    snprintf(folder, sizeof folder, "%.*s/", slash ? (int)(slash - path) : 1, slash ? path : ".");
    if (fstat(fd, &file) < 0 || stat(folder, &holder) < 0)
        return false;
    return file.st_uid == 0 && holder.st_uid == 0 && (file.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
           (holder.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int load_open(int fd, const char *path, struct inifile *out, struct fault *why)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return fault_errno(why, "%s", path);
    if (!S_ISREG(status.st_mode))
        return fault_set(why, "%s: is %s, not a file", path,
                         S_ISDIR(status.st_mode)    ? "a directory"
                         : S_ISFIFO(status.st_mode) ? "a pipe"
                                                    : "a device");
    if (status.st_size > INIFILE_SIZE_MAX)
        return fault_set(why, "%s: has %lld bytes, a configuration has at most %d", path,
                         (long long)status.st_size, INIFILE_SIZE_MAX);
    char *text = arena_take((size_t)status.st_size);
    ssize_t length = fdio_read(fd, text, (size_t)status.st_size);
    if (length < 0)
        return fault_errno(why, "%s", path);
    *out = (struct inifile){ .name = path,
                             .text = text,
                             .length = (size_t)length,
                             .inode = status.st_ino,
                             .changed = status.st_ctim };
    return 0;
}

int inifile_load(const char *path, bool is_found, struct inifile *out, struct fault *why)
{
    bool is_guarded = is_found && geteuid() == 0;
    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (is_guarded ? O_NOFOLLOW : 0));

    if (fd < 0 && is_found && (errno == ENOENT || errno == ENOTDIR))
        return 1;
    if (fd < 0 && is_guarded && errno == ELOOP)
        return fault_set(why, "%s: is a symbolic link; write --config %s if it is meant", path,
                         path);
    if (fd < 0)
        return fault_errno(why, "%s", path);
    int result = -1;
    if (is_guarded && !is_roots_own(fd, path))
        fault_set(why,
                  "%s: others than root may write it or its directory, so root does not obey it; "
                  "in a Dockerfile: COPY --chmod=644 freshinit.ini /etc/freshinit.ini (or, if it "
                  "is meant: --config %s)",
                  path, path);
    else
        result = load_open(fd, path, out, why);
    close(fd);
    return result;
}

/* Whether text beyond ASCII is whole; tabs are allowed. */
static bool is_utf8(const char *line)
{
    char plain[INIFILE_LINE_MAX + 1];
    char escaped[INIFILE_LINE_MAX + 1];
    size_t length = 0;

    for (; *line != '\0'; line++)
        if (*line != '\t')
            plain[length++] = *line;
    plain[length] = '\0';
    return strcmp(escape_text(plain, escaped, sizeof escaped), plain) == 0;
}

static bool is_plain(char c)
{
    return c >= ' ' && c < CONTROL_DELETE;
}

/* Says what is wrong with the bytes of a line, or NULL. */
static const char *bytes_fault(const char *line, size_t length)
{
    bool is_ascii = true;

    for (const char *next = line; next < line + length; next++) {
        unsigned char byte = (unsigned char)*next;
        if (byte == '\0')
            return "a NUL byte";
        if (byte < 0x80 && byte != '\t' && !is_plain(*next))
            return "a control character";
        is_ascii = is_ascii && byte < 0x80;
    }
    return is_ascii || is_utf8(line) ? NULL : "text that is not UTF-8";
}

/* "[stage x]" and nothing behind it but a comment. */
static void take_section(struct pass *pass, char *line)
{
    char *close = strchr(line, ']');
    const char *rest = close ? close + 1 : line;

    while (text_is_space(*rest))
        rest++;
    if (!close || (*rest != '\0' && (*rest != ';' || rest == close + 1))) {
        fault_set(pass->why, "%s:%d: \"%s\" is no section: write [stage NAME]", pass->file->name,
                  pass->line, line);
        return;
    }
    char *name = line + 1;
    while (text_is_space(*name))
        name++;
    while (close > name && text_is_space(close[-1]))
        close--;
    *close = '\0';
    if (close - name > INIFILE_SECTION_MAX) {
        fault_set(pass->why, "%s:%d: the section name is longer than %d bytes: \"%.60s...\"",
                  pass->file->name, pass->line, INIFILE_SECTION_MAX, name);
        return;
    }
    pass->handler->section(pass->handler->context, name, pass->line);
}

/* The equals sign of `key = value`, or NULL; a colon is none, or a URL would be a key. */
static char *equals_of(char *line)
{
    char *end = line;

    while (text_is_letter(*end) || !strchr(" \t=:;#[]\"'$", *end))
        end++;
    if (end == line)
        return NULL;
    while (text_is_space(*end))
        end++;
    return *end == '=' ? end : NULL;
}

/* Cuts " ; a comment". inih is told not to look for it where it is ours: it would compare each
 * character with those of a list. */
static void cut_comment(char *equals)
{
    char *mark = equals;

    do
        mark = strchr(mark + 1, ';');
    while (mark && !text_is_space(mark[-1]));
    if (mark)
        *mark = '\0';
}

/* Copies the next line, without white space at both ends. False at the end of the file. */
static bool next_line(struct pass *pass, char *out)
{
    const char *start = pass->file->text + pass->at;
    size_t left = pass->file->length - pass->at;
    size_t length = 0;

    if (left == 0)
        return false;
    while (length < left && is_plain(start[length]))
        length++;
    /* Nearly always the newline ends it. */
    bool is_odd = length < left && start[length] != '\n';
    while (length < left && start[length] != '\n')
        length++;
    pass->at += length + (length < left);
    pass->line++;
    if (pass->line == 1 && length >= 3 && memcmp(start, "\xEF\xBB\xBF", 3) == 0) {
        start += 3;
        length -= 3;
    }
    if (length > 0 && start[length - 1] == '\r')
        length--;
    out[0] = '\0';
    if (length > INIFILE_LINE_MAX) {
        fault_set(pass->why, "%s:%d: the line has %zu bytes, a line has at most %d: \"%.40s...\"",
                  pass->file->name, pass->line, length, INIFILE_LINE_MAX, start);
        return true;
    }
    while (length > 0 && text_is_space(*start)) {
        start++;
        length--;
    }
    while (length > 0 && text_is_space(start[length - 1]))
        length--;
    memcpy(out, start, length);
    out[length] = '\0';
    const char *wrong = is_odd ? bytes_fault(out, length) : NULL;
    if (wrong) {
        fault_set(pass->why, "%s:%d: the line holds %s: \"%.100s\"", pass->file->name, pass->line,
                  wrong, out);
        out[0] = '\0';
    }
    return true;
}

/* What inih calls for each line: it gets those that set a key, and no others. */
static char *read_setting(char *out, int size, void *stream)
{
    struct pass *pass = stream;

    /* Smaller than asked for: the limits that inih was built with are not ours. */
    if (size <= INIFILE_LINE_MAX)
        return NULL;
    while (next_line(pass, out)) {
        if (out[0] == '\0' || out[0] == ';' || out[0] == '#')
            continue;
        char *equals = NULL;
        if (out[0] == '[') {
            take_section(pass, out);
        } else if ((equals = equals_of(out))) {
            cut_comment(equals);
            return out;
        } else {
            fault_set(pass->why, "%s:%d: \"%.100s\" is not `key = value`", pass->file->name,
                      pass->line, out);
        }
    }
    return NULL;
}

static int take_value(void *context, const char *section, const char *key, const char *value)
{
    const struct pass *pass = context;

    (void)section;
    pass->handler->value(pass->handler->context, key, arena_text(value, strlen(value)), pass->line);
    return 1;
}

void inifile_parse(const struct inifile *file, const struct inifile_handler *handler,
                   struct fault *why)
{
    struct pass pass = { .file = file, .handler = handler, .why = why };

/* Debian's libinih is set at run time, upstream's when it is compiled. */
#if INI_MAX_LINE < 4099
    ini_max_line = INIFILE_LINE_MAX + 3;
    ini_allow_multiline = false;
#endif
    if (ini_parse_stream(read_setting, &pass, take_value, &pass) != 0)
        fault_set(why, "%s: can't be read", file->name);
    else if (pass.at < file->length)
        fault_set(why, "%s: can't be read beyond line %d", file->name, pass.line);
}
