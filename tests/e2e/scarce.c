/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scarce.c - for LD_PRELOAD: one allocation of a program fails, the one whose number is in
 * Q2P_SCARCE_AT, from 1. If there was one, a byte says so on the descriptor Q2P_SCARCE_TELL.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t count, size_t len);
void *__libc_realloc(void *old, size_t len);

static long left;
static int tell;

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("Q2P_SCARCE_AT"), *to = getenv("Q2P_SCARCE_TELL");

    left = at ? strtol(at, NULL, 10) : 0;
    tell = to ? (int)strtol(to, NULL, 10) : -1;
}

static bool fails(void)
{
    if (left == 0 || --left > 0)
        return false;
    if (write(tell, "!", 1) != 1)
        abort();
    errno = ENOMEM;
    return true;
}

void *malloc(size_t len)
{
    return fails() ? NULL : __libc_malloc(len);
}

void *calloc(size_t count, size_t len)
{
    return fails() ? NULL : __libc_calloc(count, len);
}

void *realloc(void *old, size_t len)
{
    return fails() ? NULL : __libc_realloc(old, len);
}
