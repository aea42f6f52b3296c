/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_memory.c - allocation that cannot fail, arenas of growing blocks, and what lives in them. */
#define _DEFAULT_SOURCE /* madvise */
#include "sim_memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_LEN ((size_t)2 << 20) /* a huge page */
#define BLOCK_MIN ((size_t)4 << 10)
#define BLOCK_MAX ((size_t)32 << 20)

struct sim_free {
    struct sim_free *next;
};

struct sim_block {
    struct sim_block *next;
    size_t len;
};

static _Noreturn void give_up(void)
{
    fputs("q2p-sim: out of memory\n", stderr);
    exit(4);
}

static void want_huge(void *start, size_t len)
{
#ifdef MADV_HUGEPAGE
    madvise(start, len, MADV_HUGEPAGE); /* a wish; without it, it is slower */
#else
    (void)start;
    (void)len;
#endif
}

void *sim_alloc(size_t len)
{
    if (len < HUGE_LEN / 2) {
        void *out = calloc(1, len);
        if (!out)
            give_up();
        return out;
    }
    void *out = NULL;
    len = (len + HUGE_LEN - 1) / HUGE_LEN * HUGE_LEN; /* the last page is a huge one, too */
    if (posix_memalign(&out, HUGE_LEN, len) != 0)
        give_up();
    want_huge(out, len);
    return memset(out, 0, len);
}

void *sim_resize(void *array, size_t len)
{
    void *out = realloc(array, len);
    if (!out)
        give_up();
    return out;
}

void *sim_grow(void *array, size_t *room, size_t item_len)
{
    size_t wanted = *room ? *room * 2 : 16;
    void *out = wanted <= SIZE_MAX / item_len ? realloc(array, wanted * item_len) : NULL;
    if (!out)
        give_up();
    *room = wanted;
    return out;
}

/* Memory that begins with a huge page; what is never touched of it costs nothing. */
static void *map(size_t len)
{
    char *start =
        mmap(NULL, len + HUGE_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        give_up();
    size_t before = (HUGE_LEN - (uintptr_t)start % HUGE_LEN) % HUGE_LEN;
    if (before > 0)
        munmap(start, before);
    munmap(start + before + len, HUGE_LEN - before);
    want_huge(start + before, len);
    return start + before;
}

static void make_block(struct sim_arena *arena, size_t least)
{
    if (arena->block_len < BLOCK_MAX)
        arena->block_len = arena->block_len ? 2 * arena->block_len : BLOCK_MIN;
    size_t len = least > arena->block_len ? least : arena->block_len;
    if (len >= HUGE_LEN / 2 && len < HUGE_LEN)
        len = HUGE_LEN; /* it would be that in any case */
    struct sim_block *block = len < HUGE_LEN ? sim_alloc(len) : map(len);
    *block = (struct sim_block){arena->blocks, len};
    arena->blocks = block;
    size_t skipped = sizeof *block + SIM_LINE - 1;
    skipped -= ((uintptr_t)block + skipped) % SIM_LINE;
    arena->at = (char *)block + skipped;
    arena->left = len - skipped;
}

void *sim_arena_take(struct sim_arena *arena, size_t len)
{
    len = (len + SIM_LINE - 1) / SIM_LINE * SIM_LINE;
    if (len > arena->left)
        make_block(arena, len + 2 * SIM_LINE);
    void *out = arena->at;
    arena->at += len;
    arena->left -= len;
    return out;
}

void sim_arena_free(struct sim_arena *arena)
{
    while (arena->blocks) {
        struct sim_block *block = arena->blocks;
        arena->blocks = block->next;
        if (block->len < HUGE_LEN)
            free(block);
        else
            munmap(block, block->len);
    }
    *arena = (struct sim_arena){0};
}

/* ---- pools ------------------------------------------------------------------------------- */

static unsigned size_of(size_t len)
{
    unsigned size = 0;
    while (((size_t)SIM_LINE << size) < len)
        size++;
    return size;
}

void *sim_pool_take(struct sim_pool *pool, size_t len)
{
    unsigned size = size_of(len);
    struct sim_free *thing = pool->unused[size];
    if (!thing)
        return sim_arena_take(&pool->arena, (size_t)SIM_LINE << size);
    pool->unused[size] = thing->next;
    return memset(thing, 0, len);
}

void sim_pool_give(struct sim_pool *pool, void *thing, size_t len)
{
    struct sim_free *unused = thing;
    if (!unused)
        return;
    unused->next = pool->unused[size_of(len)];
    pool->unused[size_of(len)] = unused;
}

void sim_pool_free(struct sim_pool *pool)
{
    sim_arena_free(&pool->arena);
    *pool = (struct sim_pool){0};
}

/* ---- heaps ------------------------------------------------------------------------------- */

#define HEAP_STEP 16
#define HEAP_FINE ((size_t)2 << 10)  /* up to here in such steps; then eight until it doubles */
#define HEAP_MAX ((size_t)256 << 10) /* what is larger is libc's */
#define PIECE_MIN ((size_t)1 << 10)
#define PIECE_MAX ((size_t)64 << 10)

/* Rounds *len up to a size there is, and says which one. */
static unsigned round_up(size_t *len)
{
    if (*len <= HEAP_FINE) {
        size_t steps = (*len + HEAP_STEP - 1) / HEAP_STEP;
        *len = steps * HEAP_STEP;
        return (unsigned)steps - 1;
    }
    unsigned shift = 60 - (unsigned)__builtin_clzll(*len - 1);
    size_t eighths = ((*len - 1) >> shift) + 1; /* 9 to 16 */
    *len = eighths << shift;
    return (unsigned)(HEAP_FINE / HEAP_STEP + (shift - 8) * 8 + eighths - 9);
}

static void heap_give(struct sim_heap *heap, void *thing, size_t len)
{
    struct sim_free *unused = thing;
    if (len > HEAP_MAX) {
        free(thing);
        return;
    }
    unsigned size = round_up(&len);
    unused->next = heap->unused[size];
    heap->unused[size] = unused;
}

static void *cut(struct sim_heap *heap, size_t len)
{
    if (len > heap->left) {
        while (heap->left > 0) { /* what is left becomes what fits */
            size_t part = heap->left < HEAP_FINE ? heap->left : HEAP_FINE;
            heap->left -= part;
            heap_give(heap, heap->at + heap->left, part);
        }
        if (heap->piece_len < PIECE_MAX)
            heap->piece_len = heap->piece_len ? 2 * heap->piece_len : PIECE_MIN;
        heap->left = len > heap->piece_len ? len : heap->piece_len;
        heap->at = sim_arena_take(&heap->arena, heap->left);
    }
    void *out = heap->at;
    heap->at += len;
    heap->left -= len;
    return out;
}

static void *heap_take(struct sim_heap *heap, size_t len)
{
    if (len > HEAP_MAX)
        return malloc(len);
    unsigned size = round_up(&len);
    struct sim_free *thing = heap->unused[size];
    if (!thing)
        return cut(heap, len);
    heap->unused[size] = thing->next;
    return thing;
}

#if defined(__SANITIZE_ADDRESS__)
#define HEAP_IS_LIBC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEAP_IS_LIBC 1
#endif
#endif
#ifndef HEAP_IS_LIBC
#define HEAP_IS_LIBC 0
#endif

void *sim_heap_resize(void *ctx, void *old, size_t old_len, size_t new_len)
{
    struct sim_heap *heap = ctx;
    size_t old_room = old_len, new_room = new_len;
    if (HEAP_IS_LIBC || (old_len > HEAP_MAX && new_len > HEAP_MAX)) {
        if (new_len > 0)
            return realloc(old, new_len);
        free(old);
        return NULL;
    }
    if (old && old_len <= HEAP_MAX && new_len > 0 && new_len <= HEAP_MAX &&
        round_up(&old_room) == round_up(&new_room))
        return old;
    void *out = new_len > 0 ? heap_take(heap, new_len) : NULL;
    if (old && out)
        memcpy(out, old, old_len < new_len ? old_len : new_len);
    if (old && (out || new_len == 0))
        heap_give(heap, old, old_len);
    return out;
}

void sim_heap_free(struct sim_heap *heap)
{
    sim_arena_free(&heap->arena);
    *heap = (struct sim_heap){0};
}
