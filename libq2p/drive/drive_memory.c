/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drive_memory.c - memory for a node: malloc's, but large blocks in large pages. A transmission of
 * 100 MB touches 25,000 small pages for the first time, which costs its receiver as much as all the
 * rest.
 */
#define _GNU_SOURCE /* mremap */
#include <q2p/drive.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE ((size_t)2 << 20) /* a large one; where they are others, this is merely a size */
#define LARGE (2 * PAGE)

static size_t whole_pages(size_t len)
{
    return (len + PAGE - 1) / PAGE * PAGE;
}

/* Address space of whole pages at a multiple of PAGE, untouched; NULL if there is none. */
static void *map_pages(size_t len)
{
    uint8_t *mapped = mmap(NULL, len + PAGE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED)
        return NULL;
    size_t before = (PAGE - (uintptr_t)mapped % PAGE) % PAGE;
    if (before > 0)
        munmap(mapped, before);
    if (before < PAGE)
        munmap(mapped + before + len, PAGE - before);
    return mapped + before;
}

static void *make_large(size_t len)
{
    void *pages = map_pages(whole_pages(len));
    if (pages)
        madvise(pages, whole_pages(len), MADV_HUGEPAGE); /* best effort */
    return pages;
}

/* Pages move, bytes do not. */
static void *resize_large(void *old, size_t old_len, size_t new_len)
{
    size_t old_room = whole_pages(old_len), new_room = whole_pages(new_len);
    if (new_room < old_room)
        munmap((uint8_t *)old + new_room, old_room - new_room);
    if (new_room <= old_room)
        return old;
    void *to = map_pages(new_room);
    if (!to)
        return NULL;
    void *moved = mremap(old, old_room, new_room, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    if (moved == MAP_FAILED) {
        munmap(to, new_room);
        return NULL;
    }
    return moved;
}

static void *make(size_t len)
{
    return len < LARGE ? malloc(len) : make_large(len);
}

static void give_back(void *old, size_t len)
{
    if (len < LARGE)
        free(old);
    else
        munmap(old, whole_pages(len));
}

static void *resize(void *ctx, void *old, size_t old_len, size_t new_len)
{
    (void)ctx;
    if (!old)
        return make(new_len);
    if (new_len == 0) {
        give_back(old, old_len);
        return NULL;
    }
    if (old_len < LARGE && new_len < LARGE)
        return realloc(old, new_len);
    if (old_len >= LARGE && new_len >= LARGE)
        return resize_large(old, old_len, new_len);
    void *new = make(new_len);
    if (new) {
        memcpy(new, old, old_len < new_len ? old_len : new_len);
        give_back(old, old_len);
    }
    return new;
}

void q2p_drive_memory(struct q2p_alloc *out)
{
    *out = (struct q2p_alloc){.resize = resize};
}
