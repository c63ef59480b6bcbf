/* Whole reads and writes; EINTR is handled here and nowhere else. */
#ifndef BASE_FDIO_H
#define BASE_FDIO_H

#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"

/* All of it, or -1 with errno. */
MUST_USE int fdio_write(int fd, const void *data, size_t size);

/* Until the end or until `size`; how many, or -1 with errno. */
MUST_USE ssize_t fdio_read(int fd, void *out, size_t size);

/* The small file `path` as text with an end; how many bytes, or -1 with errno (EFBIG when it does
 * not fit, EISDIR and the like when it is no plain file). Never waits for a FIFO. */
MUST_USE ssize_t fdio_read_file(const char *path, char *out, size_t out_size);

/* With stdin, stdout or stderr closed, the next file to be opened would become it: /dev/null
 * does. */
void fdio_fill_streams(void);

/* Gives this thread descriptors of its own, only those below `first`. Where the kernel can't, they
 * stay shared. */
void fdio_part_from(int first);

/* Closes every descriptor from `first` on. */
void fdio_close_from(int first);

#endif
