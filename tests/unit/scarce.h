/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scarce.h - memory that is counted, and that runs out when a test says so. */
#ifndef SCARCE_H
#define SCARCE_H

#include <limits.h>
#include <stdlib.h>

#include <q2p/types.h>

static long allocations_left = LONG_MAX; /* then these are refused: */
static long refusals_left = LONG_MAX;
static size_t bytes_held, bytes_peak;

static inline void *scarce_resize(void *ctx, void *old, size_t old_len, size_t new_len)
{
    (void)ctx;
    if (new_len > 0 && allocations_left-- <= 0 && refusals_left-- > 0)
        return NULL;
    bytes_held += new_len - old_len;
    if (bytes_held > bytes_peak)
        bytes_peak = bytes_held;
    if (new_len == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_len);
}

static const struct q2p_alloc alloc = {NULL, scarce_resize};

#endif
