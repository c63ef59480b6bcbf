/* Monotonic time, and what is left of a deadline. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* A deadline that never comes. */
#define CLOCK_NEVER INT64_MAX

int64_t clock_ms(void);
int64_t clock_us(void);

/* Seconds since 1970, and the milliseconds within: for the log and for markers, never for
 * waiting. */
int64_t clock_wall_ms(void);

/* In the ticks since boot that /proc tells the start of a process in. */
enum { CLOCK_TICKS = 100 }; /* in a second, whatever the kernel counts in */
uint64_t clock_ticks(void);

/* Waits that long. Never in the loop. */
void clock_rest(int64_t ms);

/* What is left until the deadline as poll wants it: 0 when it is over, -1 when it never comes. */
int clock_left(int64_t deadline_ms);

#endif
