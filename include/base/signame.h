/* Signal names and numbers. */
#ifndef BASE_SIGNAME_H
#define BASE_SIGNAME_H

#include <stddef.h>

/* As the kernel counts, and glibc: other libcs keep a few more for themselves, but a signal's
 * number means the same to every program. */
enum { SIGNAME_FIRST_REALTIME = 34, SIGNAME_LAST = 64 };

/* "TERM", "SIGTERM", "term", "15", "RTMIN+3", "RTMAX-1"; 0 when it is no signal. */
int signame_number(const char *text);

/* "TERM", "RTMIN+3". Returns `out`. */
const char *signame_text(int number, char *out, size_t out_size);

#endif
