/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_memory.h - memory or the end of the program: a simulation that half works would be worse.
 * What is big lies on huge pages: a datagram touches a dozen places of a big world, and each
 * would else cost a walk through the page tables, too.
 */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define SIM_LINE 64 /* bytes that memory moves at once */

void *sim_alloc(size_t len); /* zeroed; free() takes it back */
void *sim_resize(void *array, size_t len);
void *sim_grow(void *array, size_t *room, size_t item_len); /* doubles */

/* Things that live as long as the whole: next to each other, each from a line of its own on. */
struct sim_arena {
    struct sim_block *blocks;
    char *at;
    size_t left, block_len;
};

void *sim_arena_take(struct sim_arena *arena, size_t len); /* zeroed */
void sim_arena_free(struct sim_arena *arena);

/* Things that come and go, of sizes that double: 64, 128, 256 bytes, ... */
#define SIM_POOL_SIZES 40
struct sim_pool {
    struct sim_arena arena;
    struct sim_free *unused[SIM_POOL_SIZES];
};

void *sim_pool_take(struct sim_pool *pool, size_t len);             /* zeroed */
void sim_pool_give(struct sim_pool *pool, void *thing, size_t len); /* thing may be NULL */
void sim_pool_free(struct sim_pool *pool);

/*
 * Memory for machines, of any size: the functions of a q2p_alloc. Sizes are in steps of 16 bytes,
 * then of an eighth; what is freed waits for others of its size. Under ASan it is that of libc.
 */
#define SIM_HEAP_SIZES 184
struct sim_heap {
    struct sim_arena arena;
    char *at; /* what is left of the newest piece of it */
    size_t left, piece_len;
    struct sim_free *unused[SIM_HEAP_SIZES];
};

void *sim_heap_resize(void *heap, void *old, size_t old_len, size_t new_len);
void sim_heap_free(struct sim_heap *heap); /* but what is in use beyond 256 KiB */

/* Fetches a line of memory into the cache; of nothing (NULL) it is no mistake. The asm keeps
 * compilers from leaving out calls of functions that do nothing else. */
static inline void sim_fetch_line(const void *at)
{
    __builtin_prefetch(at);
    __asm__ volatile("");
}

/* Fetches len bytes. */
static inline void sim_fetch(const void *start, size_t len)
{
    for (size_t at = 0; at < len; at += SIM_LINE)
        sim_fetch_line((const void *)((uintptr_t)start + at));
}

#endif
