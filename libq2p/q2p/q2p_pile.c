/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_pile.c - as long as fragments come in order, a fragment's place is its number and nothing
 * else is kept. Once one is missing, its place stays free, and a bit a fragment says which are.
 * When more are missing than that memory would be wasted, they are packed, and from then on lie in
 * order of arrival: an index of 4 to 16 bytes a fragment says what lies where.
 */
#include "q2p_pile.h"

#include <assert.h>
#include <string.h>

#include <q2p/status.h>
#include <q2p/wire.h>

#define FIRST_ORDER_ROOM 16
#define HOLES 16        /* one place of so many may be free before there are more */
#define LOOKS_MAX 65536 /* fragments looked at in one search for missing ones */

void q2p__pile_init(struct q2p__pile *pile, uint32_t total, uint32_t salt)
{
    *pile = (struct q2p__pile){.total = total, .salt = salt};
}

static uint32_t spread(uint32_t syn)
{
    syn ^= syn >> 16;
    syn *= UINT32_C(0x7feb352d);
    syn ^= syn >> 15;
    syn *= UINT32_C(0x846ca68b);
    return syn ^ syn >> 16;
}

/* Where a number is in the index, or the free place where it would go. */
static uint32_t seek(const struct q2p__pile *pile, const uint32_t *index, uint32_t room,
                     uint32_t syn)
{
    uint32_t i = spread(syn ^ pile->salt) & (room - 1);

    while (index[i] && pile->order[index[i] - 1 - pile->straight] != syn)
        i = (i + 1) & (room - 1);
    return i;
}

bool q2p__pile_has(const struct q2p__pile *pile, uint32_t syn)
{
    if (syn < pile->gap)
        return true;
    if (pile->here)
        return syn / 64 < pile->here_room && (pile->here[syn / 64] >> (syn % 64) & 1) != 0;
    return pile->index && pile->index[seek(pile, pile->index, pile->index_room, syn)] != 0;
}

/* ---- growing ---- */

static bool goes_straight(const struct q2p__pile *pile, uint32_t syn)
{
    return pile->have == pile->straight && syn == pile->have && !pile->here;
}

/* Is there room for `syn` already? */
static bool fits(const struct q2p__pile *pile, uint32_t syn)
{
    if (pile->here)
        return syn < pile->room && syn / 64 < pile->here_room;
    return pile->have < pile->room &&
           (goes_straight(pile, syn) || (pile->have - pile->straight < pile->order_room &&
                                         pile->index_room == pile->order_room * 2));
}

static uint32_t of_total(const struct q2p__pile *pile, uint64_t room)
{
    return room < pile->total ? (uint32_t)room : pile->total;
}

static uint32_t doubled(const struct q2p__pile *pile)
{
    return of_total(pile, pile->room ? (uint64_t)pile->room * 2 : 1);
}

/* Places for twice what there is with one more, free ones not counted. */
static uint32_t home_room(const struct q2p__pile *pile)
{
    return of_total(pile, 2 * ((uint64_t)pile->have + 1));
}

/* Can `syn` be at its own place, at most after growing? */
static bool goes_home(const struct q2p__pile *pile, uint32_t syn)
{
    if (pile->index)
        return false;
    return syn < pile->room ||
           (syn < home_room(pile) && pile->have + 1 >= pile->room - pile->room / HOLES);
}

/* The rooms there must be before `syn` goes in: everything doubles. */
static void plan(const struct q2p__pile *pile, uint32_t syn, struct q2p__pile *planned)
{
    uint32_t straight = pile->here ? pile->gap : pile->straight;

    *planned = *pile;
    if (pile->have == pile->room)
        planned->room = doubled(pile);
    if (goes_straight(pile, syn))
        return;
    if (goes_home(pile, syn)) {
        if (syn >= pile->room)
            planned->room = home_room(pile);
        planned->here_room = planned->room / 64 + 1;
        return;
    }
    planned->here_room = 0;
    while (planned->order_room <= pile->have - straight)
        planned->order_room = planned->order_room ? planned->order_room * 2 : FIRST_ORDER_ROOM;
    planned->index_room = planned->order_room * 2;
}

size_t q2p__pile_held(const struct q2p__pile *pile)
{
    return (size_t)pile->room * Q2P_FRAGMENT_LEN + pile->here_room * sizeof *pile->here +
           ((size_t)pile->order_room + pile->index_room) * sizeof *pile->order;
}

size_t q2p__pile_would_hold(const struct q2p__pile *pile, uint32_t syn)
{
    struct q2p__pile planned;

    if (fits(pile, syn))
        return q2p__pile_held(pile);
    plan(pile, syn, &planned);
    return q2p__pile_held(&planned);
}

static int grow_here(struct q2p__pile *pile, const struct q2p_alloc *alloc, uint32_t room)
{
    uint64_t *here =
        alloc->resize(alloc->ctx, pile->here, pile->here_room * sizeof *here, room * sizeof *here);

    if (!here)
        return Q2P_ERR_MEMORY;
    memset(here + pile->here_room, 0, (room - pile->here_room) * sizeof *here);
    pile->here = here;
    pile->here_room = room;
    return Q2P_OK;
}

static void move(struct q2p__pile *pile, uint32_t to, uint32_t from)
{
    memcpy(pile->bytes + (size_t)to * Q2P_FRAGMENT_LEN,
           pile->bytes + (size_t)from * Q2P_FRAGMENT_LEN, Q2P_FRAGMENT_LEN);
}

/* From places of their own to one behind the other. */
static void pack(struct q2p__pile *pile, const struct q2p_alloc *alloc)
{
    uint32_t place = pile->straight = pile->gap;

    for (uint32_t syn = pile->gap; place < pile->have; syn++) {
        if (!q2p__pile_has(pile, syn))
            continue;
        move(pile, place, syn);
        pile->order[place++ - pile->straight] = syn;
    }
    alloc->resize(alloc->ctx, pile->here, pile->here_room * sizeof *pile->here, 0);
    pile->here = NULL;
    pile->here_room = 0;
}

static int grow_order(struct q2p__pile *pile, const struct q2p_alloc *alloc,
                      const struct q2p__pile *planned)
{
    size_t index_len = planned->index_room * sizeof *pile->index;
    uint32_t *order, *index;

    order = alloc->resize(alloc->ctx, pile->order, pile->order_room * sizeof *order,
                          planned->order_room * sizeof *order);
    if (!order)
        return Q2P_ERR_MEMORY;
    pile->order = order;
    pile->order_room = planned->order_room;
    index = alloc->resize(alloc->ctx, NULL, 0, index_len);
    if (!index)
        return Q2P_ERR_MEMORY; /* order has room enough then: the next try comes here again */
    memset(index, 0, index_len);
    if (pile->here)
        pack(pile, alloc);
    for (uint32_t place = pile->straight; place < pile->have; place++)
        index[seek(pile, index, planned->index_room, order[place - pile->straight])] = place + 1;
    if (pile->index)
        alloc->resize(alloc->ctx, pile->index, pile->index_room * sizeof *index, 0);
    pile->index = index;
    pile->index_room = planned->index_room;
    return Q2P_OK;
}

static int grow(struct q2p__pile *pile, const struct q2p_alloc *alloc, uint32_t syn)
{
    struct q2p__pile planned;

    plan(pile, syn, &planned);
    if (planned.room != pile->room) {
        uint8_t *bytes =
            alloc->resize(alloc->ctx, pile->bytes, (size_t)pile->room * Q2P_FRAGMENT_LEN,
                          (size_t)planned.room * Q2P_FRAGMENT_LEN);

        if (!bytes)
            return Q2P_ERR_MEMORY;
        pile->bytes = bytes;
        pile->room = planned.room;
    }
    if (planned.here_room > pile->here_room)
        return grow_here(pile, alloc, planned.here_room);
    if (planned.index_room != pile->index_room)
        return grow_order(pile, alloc, &planned);
    return Q2P_OK;
}

int q2p__pile_add(struct q2p__pile *pile, const struct q2p_alloc *alloc, uint32_t syn,
                  const uint8_t *body, size_t len)
{
    uint32_t place = pile->have;

    assert(syn < pile->total && pile->have < pile->total && len <= Q2P_FRAGMENT_LEN);
    if (!fits(pile, syn) && grow(pile, alloc, syn) != Q2P_OK)
        return Q2P_ERR_MEMORY;
    if (goes_straight(pile, syn)) {
        pile->straight++;
    } else if (pile->here) {
        place = syn;
        pile->here[syn / 64] |= UINT64_C(1) << (syn % 64);
    } else {
        pile->order[place - pile->straight] = syn;
        pile->index[seek(pile, pile->index, pile->index_room, syn)] = place + 1;
    }
    memcpy(pile->bytes + (size_t)place * Q2P_FRAGMENT_LEN, body, len);
    pile->have++;
    if (syn > pile->highest)
        pile->highest = syn;
    if (syn == pile->gap)
        do
            pile->gap++;
        while (pile->gap < pile->total && q2p__pile_has(pile, pile->gap));
    return Q2P_OK;
}

/* ---- what is here ---- */

size_t q2p__pile_missing(const struct q2p__pile *pile, uint32_t *cursor, uint32_t end,
                         uint32_t *out, size_t max)
{
    uint32_t looks = LOOKS_MAX;
    size_t count = 0;

    if (*cursor < pile->gap)
        *cursor = pile->gap;
    for (; *cursor < end && count < max && looks > 0; ++*cursor, looks--)
        if (!q2p__pile_has(pile, *cursor))
            out[count++] = *cursor;
    return count;
}

/*
 * order says which fragment lies at each place. Along each cycle of that permutation one block is
 * set aside and the others move home one by one: every block moves once.
 */
void q2p__pile_sort(struct q2p__pile *pile)
{
    uint8_t aside[Q2P_FRAGMENT_LEN];
    uint32_t base = pile->straight;

    if (!pile->index)
        return;
    /* first the inverse, in the index's memory: at which place lies each fragment */
    for (uint32_t i = 0; i < pile->have - base; i++)
        pile->index[pile->order[i] - base] = i;
    for (uint32_t start = 0; start < pile->have - base; start++) {
        uint32_t hole = start;

        if (pile->index[start] == start)
            continue;
        memcpy(aside, pile->bytes + (size_t)(base + start) * Q2P_FRAGMENT_LEN, sizeof aside);
        while (pile->index[hole] != start) {
            uint32_t from = pile->index[hole];

            move(pile, base + hole, base + from);
            pile->index[hole] = hole;
            hole = from;
        }
        memcpy(pile->bytes + (size_t)(base + hole) * Q2P_FRAGMENT_LEN, aside, sizeof aside);
        pile->index[hole] = hole;
    }
}

uint8_t *q2p__pile_take(struct q2p__pile *pile, const struct q2p_alloc *alloc, size_t *room)
{
    uint8_t *bytes = pile->bytes;

    *room = (size_t)pile->room * Q2P_FRAGMENT_LEN;
    pile->bytes = NULL;
    pile->room = 0;
    q2p__pile_free(pile, alloc);
    return bytes;
}

void q2p__pile_free(struct q2p__pile *pile, const struct q2p_alloc *alloc)
{
    if (pile->bytes)
        alloc->resize(alloc->ctx, pile->bytes, (size_t)pile->room * Q2P_FRAGMENT_LEN, 0);
    if (pile->here)
        alloc->resize(alloc->ctx, pile->here, pile->here_room * sizeof *pile->here, 0);
    if (pile->order)
        alloc->resize(alloc->ctx, pile->order, pile->order_room * sizeof *pile->order, 0);
    if (pile->index)
        alloc->resize(alloc->ctx, pile->index, pile->index_room * sizeof *pile->index, 0);
    *pile = (struct q2p__pile){.have = 0};
}
