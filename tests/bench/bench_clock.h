/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_clock.h - seconds: those that passed, and those that this process had a core for. Whoever
 * includes it asks for POSIX first. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <time.h>

static inline double bench_clock_seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static inline double bench_wall_seconds(void)
{
    return bench_clock_seconds(CLOCK_MONOTONIC);
}

static inline double bench_cpu_seconds(void)
{
    return bench_clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

#endif
