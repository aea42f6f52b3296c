/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_pile.h - the fragments of one incoming transmission as they arrive. Where few are missing,
 * each lies at its own place; else they lie one behind the other in order of arrival. So memory
 * grows with what came and never with what was announced; when all are there they are put into
 * order in place, and the pile is the message.
 */
#ifndef Q2P_PILE_H
#define Q2P_PILE_H

#include <q2p/types.h>

struct q2p__pile {
    uint8_t *bytes;    /* room for so many whole fragments */
    uint64_t *here;    /* a bit a place, while each is at its own; those below `gap` say nothing */
    uint32_t *order;   /* fragment number of each place from `straight` on */
    uint32_t *index;   /* place + 1 of fragments from `straight` on, by their number; 0 = free */
    uint32_t have;     /* fragments here */
    uint32_t straight; /* without `here`: so many arrived in order: number = place */
    uint32_t room, here_room, order_room, index_room;
    uint32_t gap;     /* lowest number that is not here */
    uint32_t highest; /* highest number that is */
    uint32_t total;   /* fragments of the whole transmission */
    uint32_t salt;    /* secret, so that nobody can choose numbers that collide in the index */
};

void q2p__pile_init(struct q2p__pile *pile, uint32_t total, uint32_t salt);

bool q2p__pile_has(const struct q2p__pile *pile, uint32_t syn);

/* Bytes held, and bytes that would be once `syn` is added. */
size_t q2p__pile_held(const struct q2p__pile *pile);
size_t q2p__pile_would_hold(const struct q2p__pile *pile, uint32_t syn);

/* Adds a fragment that is not there yet. Q2P_OK or Q2P_ERR_MEMORY. */
int q2p__pile_add(struct q2p__pile *pile, const struct q2p_alloc *alloc, uint32_t syn,
                  const uint8_t *body, size_t len);

/* Numbers not here, below `end`, from *cursor on; at most `max` of them. Looks at a bounded number
 * of fragments and moves *cursor behind the last one looked at. */
size_t q2p__pile_missing(const struct q2p__pile *pile, uint32_t *cursor, uint32_t end,
                         uint32_t *out, size_t max);

/* Puts a complete pile into order. */
void q2p__pile_sort(struct q2p__pile *pile);

/* Takes the message, and its size in memory, out of a pile; the rest is freed. */
uint8_t *q2p__pile_take(struct q2p__pile *pile, const struct q2p_alloc *alloc, size_t *room);

void q2p__pile_free(struct q2p__pile *pile, const struct q2p_alloc *alloc);

#endif
