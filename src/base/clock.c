/*
 * Monotonic time, so that a clock that is set changes no deadline.
 */
#include "base/clock.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Past libc: its quick way is slower for one who asks this seldom, as it maps the vDSO's pages. */
static struct timespec read_clock(clockid_t clock)
{
    struct timespec now = { 0 };

    syscall(SYS_clock_gettime, clock, &now);
    return now;
}

int64_t clock_us(void)
{
    struct timespec now = read_clock(CLOCK_MONOTONIC);

    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
    return clock_us() / 1000;
}

int64_t clock_wall_ms(void)
{
    struct timespec now = read_clock(CLOCK_REALTIME);

    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t clock_ticks(void)
{
    const long tick_ns = 1000000000 / CLOCK_TICKS;
    struct timespec now = read_clock(CLOCK_BOOTTIME);

    return (uint64_t)now.tv_sec * CLOCK_TICKS + (uint64_t)(now.tv_nsec / tick_ns);
}

void clock_rest(int64_t ms)
{
    struct timespec time = { .tv_sec = (time_t)(ms / 1000),
                             .tv_nsec = (long)(ms % 1000) * 1000000 };

    nanosleep(&time, NULL);
}

int clock_left(int64_t deadline_ms)
{
    if (deadline_ms == CLOCK_NEVER)
        return -1;
    int64_t left = deadline_ms - clock_ms();
    if (left <= 0)
        return 0;
    /* A later look finds the rest: poll takes an int. */
    return left > 1000000000 ? 1000000000 : (int)left;
}
