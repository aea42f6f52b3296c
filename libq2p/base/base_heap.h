/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_heap.h - which timer is due first. Timers live inside the items they belong to. Room for a
 * timer is claimed when its item is made, so setting one later can never fail.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <q2p/types.h>

struct q2p__timer {
    q2p_time at;
    uint32_t place; /* in the heap, from 1; 0 = not set */
    uint32_t kind;  /* the owner's: what kind of item this is in */
};

struct q2p__heap {
    struct q2p__timer **timers;
    const struct q2p_alloc *alloc; /* borrowed for the heap's life */
    uint32_t used, room, claimed;
};

void q2p__heap_init(struct q2p__heap *heap, const struct q2p_alloc *alloc);
void q2p__heap_clear(struct q2p__heap *heap);

/* Makes room for one more timer and readies it, not set. Q2P_OK or Q2P_ERR_MEMORY. */
int q2p__heap_claim(struct q2p__heap *heap, struct q2p__timer *timer, uint32_t kind);

/* Takes a claimed timer out for good. */
void q2p__heap_release(struct q2p__heap *heap, struct q2p__timer *timer);

/* Sets or moves a claimed timer; Q2P_NEVER unsets it. */
void q2p__heap_set(struct q2p__heap *heap, struct q2p__timer *timer, q2p_time at);

/* The timer due first, or NULL. */
struct q2p__timer *q2p__heap_first(const struct q2p__heap *heap);

#endif
