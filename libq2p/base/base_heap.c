/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base_heap.c - a binary heap of pointers to timers, each of which knows its place. */
#include "base_heap.h"

#include <assert.h>

#include <q2p/status.h>

#define FIRST_ROOM 4

void q2p__heap_init(struct q2p__heap *heap, const struct q2p_alloc *alloc)
{
    *heap = (struct q2p__heap){.alloc = alloc};
}

void q2p__heap_clear(struct q2p__heap *heap)
{
    if (heap->timers)
        heap->alloc->resize(heap->alloc->ctx, heap->timers, heap->room * sizeof *heap->timers, 0);
    q2p__heap_init(heap, heap->alloc);
}

int q2p__heap_claim(struct q2p__heap *heap, struct q2p__timer *timer, uint32_t kind)
{
    if (heap->claimed == heap->room) {
        uint32_t room = heap->room ? heap->room * 2 : FIRST_ROOM;
        struct q2p__timer **timers =
            heap->alloc->resize(heap->alloc->ctx, heap->timers, heap->room * sizeof *heap->timers,
                                room * sizeof *heap->timers);

        if (!timers)
            return Q2P_ERR_MEMORY;
        heap->timers = timers;
        heap->room = room;
    }
    heap->claimed++;
    *timer = (struct q2p__timer){Q2P_NEVER, 0, kind};
    return Q2P_OK;
}

void q2p__heap_release(struct q2p__heap *heap, struct q2p__timer *timer)
{
    assert(heap->claimed > 0);
    q2p__heap_set(heap, timer, Q2P_NEVER);
    if (--heap->claimed == 0)
        q2p__heap_clear(heap);
}

static void put(struct q2p__heap *heap, uint32_t place, struct q2p__timer *timer)
{
    heap->timers[place - 1] = timer;
    timer->place = place;
}

static void rise(struct q2p__heap *heap, struct q2p__timer *timer)
{
    uint32_t place = timer->place;

    while (place > 1 && heap->timers[place / 2 - 1]->at > timer->at) {
        put(heap, place, heap->timers[place / 2 - 1]);
        place /= 2;
    }
    put(heap, place, timer);
}

static void sink(struct q2p__heap *heap, struct q2p__timer *timer)
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

static void take_out(struct q2p__heap *heap, struct q2p__timer *timer)
{
    uint32_t place = timer->place;
    struct q2p__timer *last = heap->timers[--heap->used];

    timer->place = 0;
    if (last == timer)
        return;
    put(heap, place, last);
    rise(heap, last);
    sink(heap, last);
}

void q2p__heap_set(struct q2p__heap *heap, struct q2p__timer *timer, q2p_time at)
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

struct q2p__timer *q2p__heap_first(const struct q2p__heap *heap)
{
    return heap->used ? heap->timers[0] : NULL;
}
