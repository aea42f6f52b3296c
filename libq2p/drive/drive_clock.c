/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drive_clock.c - the one clock of the library: monotonic, in nanoseconds. */
#define _POSIX_C_SOURCE 200809L
#include <q2p/drive.h>

#include <assert.h>
#include <time.h>

q2p_time q2p_drive_now(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_MONOTONIC, &now);
    assert(!failed); /* only a wrong clock id or pointer could */
    (void)failed;
    return (q2p_time)now.tv_sec * Q2P_SECOND + now.tv_nsec;
}
