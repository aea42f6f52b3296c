/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scarce.h - memory that is counted, and that runs out when a test says so. */
#ifndef SCARCE_H
#define SCARCE_H

#include <stdlib.h>

#include <q2p/types.h>

static int allocations_left;
static long bytes_held;

static inline void *scarce_resize(void *ctx, void *old, size_t old_len, size_t new_len)
{
    (void)ctx;
    if (new_len > 0 && allocations_left-- <= 0)
        return NULL;
    bytes_held += (long)new_len - (long)old_len;
    if (new_len == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_len);
}

static const struct q2p_alloc alloc = {NULL, scarce_resize};

#endif
