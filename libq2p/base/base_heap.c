/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base_heap.c - a binary heap of pointers to timers, each of which knows its place. */
#include "base_heap.h"

#include <assert.h>

#include <q2p/status.h>

#define FIRST_ROOM 4

void base_heap_init(struct base_heap *heap, const struct q2p_alloc *alloc)
{
    *heap = (struct base_heap){.alloc = alloc};
}

void base_heap_clear(struct base_heap *heap)
{
    if (heap->timers)
        heap->alloc->resize(heap->alloc->ctx, heap->timers, heap->room * sizeof *heap->timers, 0);
    base_heap_init(heap, heap->alloc);
}

int base_heap_claim(struct base_heap *heap, struct base_timer *timer, uint32_t kind)
{
    if (heap->claimed == heap->room) {
        uint32_t room = heap->room ? heap->room * 2 : FIRST_ROOM;
        struct base_timer **timers =
            heap->alloc->resize(heap->alloc->ctx, heap->timers, heap->room * sizeof *heap->timers,
                                room * sizeof *heap->timers);

        if (!timers)
            return Q2P_ERR_MEMORY;
        heap->timers = timers;
        heap->room = room;
    }
    heap->claimed++;
    *timer = (struct base_timer){Q2P_NEVER, 0, kind};
    return Q2P_OK;
}

void base_heap_release(struct base_heap *heap, struct base_timer *timer)
{
    assert(heap->claimed > 0);
    base_heap_set(heap, timer, Q2P_NEVER);
    if (--heap->claimed == 0)
        base_heap_clear(heap);
}

static void put(struct base_heap *heap, uint32_t place, struct base_timer *timer)
{
    heap->timers[place - 1] = timer;
    timer->place = place;
}

static void rise(struct base_heap *heap, struct base_timer *timer)
{
    uint32_t place = timer->place;

    while (place > 1 && heap->timers[place / 2 - 1]->at > timer->at) {
        put(heap, place, heap->timers[place / 2 - 1]);
        place /= 2;
    }
    put(heap, place, timer);
}

static void sink(struct base_heap *heap, struct base_timer *timer)
{
    uint32_t place = timer->place;

    for (uint32_t child = place * 2; child <= heap->used; child = place * 2) {
        if (child < heap->used && heap->timers[child]->at < heap->timers[child - 1]->at)
            child++;
        if (heap->timers[child - 1]->at >= timer->at)
            break;
        put(heap, place, heap->timers[child - 1]);
        place = child;
    }
    put(heap, place, timer);
}

static void take_out(struct base_heap *heap, struct base_timer *timer)
{
    uint32_t place = timer->place;
    struct base_timer *last = heap->timers[--heap->used];

    timer->place = 0;
    if (last == timer)
        return;
    put(heap, place, last);
    rise(heap, last);
    sink(heap, last);
}

void base_heap_set(struct base_heap *heap, struct base_timer *timer, q2p_time at)
{
    timer->at = at;
    if (at == Q2P_NEVER) {
        if (timer->place)
            take_out(heap, timer);
        return;
    }
    if (!timer->place) {
        assert(heap->used < heap->claimed);
        put(heap, ++heap->used, timer);
    }
    rise(heap, timer);
    sink(heap, timer);
}

struct base_timer *base_heap_first(const struct base_heap *heap)
{
    return heap->used ? heap->timers[0] : NULL;
}
