/* Owns the files of `once` in state_dir. The kernel gives a lock back when its holder dies. */
#include "stage/once_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "stage/tree.h"

static const char *path_of(const struct once_file *file, const char *name, char *out)
{
    snprintf(out, PATH_MAX, "%s/%s", file->directory, name);
    return out;
}

/* A number: names are not always known. */
static bool has_own_folder(const struct identity *user)
{
    return user->text && user->uid != 0;
}

/* Gives it away only where nobody but us can have put it there. */
static void make_own(int once, const struct identity *user)
{
    char name[16];
    struct stat st;

    snprintf(name, sizeof name, "%u", user->uid);
    if (mkdirat(once, name, 0755) < 0 && errno != EEXIST)
        return;
    int fd = tree_open(once, name);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && st.st_uid != user->uid &&
        fchown(fd, user->uid, user->gid) < 0)
        log_event(LOG_DEBUG, "once.kept", LOG_NONE, "once/%s in state_dir stays with uid %u: %s",
                  name, st.st_uid, strerror(errno));
    tree_close(fd);
}

void once_file_prepare(const char *state_dir, const struct identity *user)
{
    char path[PATH_MAX];
    struct stat st;

    if (!has_own_folder(user) || snprintf(path, sizeof path, "%s/once", state_dir) >= PATH_MAX)
        return;
    /* The umask is for the server, and the stage's user has to get through. */
    mode_t mask = umask(022);
    if (mkdir(state_dir, 0755) == 0 || errno == EEXIST)
        (void)(mkdir(path, 0755) == 0);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 022) == 0)
        make_own(fd, user);
    if (fd >= 0)
        close(fd);
    umask(mask);
}

int once_file_open(struct once_file *file, const char *state_dir, const struct identity *user,
                   struct fault *why)
{
    char own[16] = "";

    if (has_own_folder(user))
        snprintf(own, sizeof own, "/%u", user->uid);
    int length = snprintf(file->directory, sizeof file->directory, "%s/once%s", state_dir, own);

    file->lock_fd = -1;
    if (length < 0 || (size_t)length >= sizeof file->directory)
        return fault_set(why, "state_dir is too long: %s", state_dir);
    if (mkdir(state_dir, 0755) < 0 && errno != EEXIST)
        return fault_errno(why, "make state_dir %s", state_dir);
    if (mkdir(file->directory, 0755) < 0 && errno != EEXIST)
        return fault_errno(why, "make %s", file->directory);
    return 0;
}

int once_file_check(const struct once_file *file, struct fault *why)
{
    if (access(file->directory, W_OK | X_OK) < 0)
        return fault_errno(why, "write below %s", file->directory);
    return 0;
}

int once_file_read(const struct once_file *file, const char *name, char *out, size_t out_size,
                   struct fault *why)
{
    char path[PATH_MAX];

    if (fdio_read_file(path_of(file, name, path), out, out_size) >= 0)
        return 0;
    out[0] = '\0';
    return errno == ENOENT ? 0 : fault_errno(why, "read %s", path);
}

int once_file_write(const struct once_file *file, const char *name, const char *text,
                    struct fault *why)
{
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
    char path[PATH_MAX];
    char fresh[PATH_MAX];

    path_of(file, name, path);
    if (snprintf(fresh, sizeof fresh, "%s/.%s.%d", file->directory, name, (int)getpid()) >=
        PATH_MAX)
        return fault_set(why, "the name is too long: %s", path);
    int fd = open(fresh, flags, 0644);
    if (fd < 0)
        return fault_errno(why, "write %s", fresh);
    bool is_written = fdio_write(fd, text, strlen(text)) == 0 && fsync(fd) == 0;
    int error = errno;
    close(fd);
    if (is_written && rename(fresh, path) == 0)
        return 0;
    if (is_written)
        error = errno;
    unlink(fresh);
    errno = error;
    return fault_errno(why, "write %s", path);
}

static int read_marker(void *self, const struct once_turn *once, char *out, struct fault *why)
{
    return once_file_read(self, once->marker_key, out, ONCE_MARKER_MAX, why);
}

static int take_lock(void *self, const struct once_turn *once, char *holder, struct fault *why)
{
    struct once_file *file = self;
    char path[PATH_MAX];

    path_of(file, once->lock_key, path);
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return fault_errno(why, "open %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int error = errno;
        ssize_t length = pread(fd, holder, ONCE_TOKEN_MAX - 1, 0);
        close(fd);
        holder[length > 0 ? length : 0] = '\0';
        errno = error;
        return error == EWOULDBLOCK ? 0 : fault_errno(why, "lock %s", path);
    }
    file->lock_fd = fd;
    /* Only for the eyes of those who wait. */
    if (ftruncate(fd, 0) < 0 || fdio_write(fd, once->token, strlen(once->token)) < 0)
        return fault_errno(why, "write %s", path);
    return 1;
}

static int give_back(void *self, const struct once_turn *once, struct fault *why)
{
    struct once_file *file = self;

    (void)once;
    (void)why;
    if (file->lock_fd >= 0)
        close(file->lock_fd);
    file->lock_fd = -1;
    return 0;
}

struct once_store once_file_store(struct once_file *file)
{
    return (struct once_store){
        .self = file, .read = read_marker, .lock = take_lock, .unlock = give_back
    };
}

int once_file_done(struct once_file *file, const struct once_turn *once, struct fault *why)
{
    char marker[ONCE_MARKER_MAX];

    once_marker(once, marker, sizeof marker);
    int result = once_file_write(file, once->marker_key, marker, why);
    return give_back(file, once, why) < 0 ? -1 : result;
}
