/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_heap.h - which timer is due first. Timers live inside the items they belong to. Room for a
 * timer is claimed when its item is made, so setting one later can never fail.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <q2p/types.h>

struct base_timer {
    q2p_time at;
    uint32_t place; /* in the heap, from 1; 0 = not set */
    uint32_t kind;  /* the owner's: what kind of item this is in */
};

struct base_heap {
    struct base_timer **timers;
    const struct q2p_alloc *alloc; /* borrowed for the heap's life */
    uint32_t used, room, claimed;
};

void base_heap_init(struct base_heap *heap, const struct q2p_alloc *alloc);
void base_heap_clear(struct base_heap *heap);

/* Makes room for one more timer and readies it, not set. Q2P_OK or Q2P_ERR_MEMORY. */
int base_heap_claim(struct base_heap *heap, struct base_timer *timer, uint32_t kind);

/* Takes a claimed timer out for good. */
void base_heap_release(struct base_heap *heap, struct base_timer *timer);

/* Sets or moves a claimed timer; Q2P_NEVER unsets it. */
void base_heap_set(struct base_heap *heap, struct base_timer *timer, q2p_time at);

/* The timer due first, or NULL. */
struct base_timer *base_heap_first(const struct base_heap *heap);

#endif
