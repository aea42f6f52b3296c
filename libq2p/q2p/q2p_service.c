/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_service.c - what all files of a node share: its memory, the queues of happenings to tell and
 * messages to send, budgets that fill up with time.
 */
#include "q2p_node.h"

#include <assert.h>
#include <string.h>

#define RING_FIRST_ROOM 1
#define RING_KEPT_ROOM 16 /* more is given back as soon as it is empty */

void *q2p__resize(q2p_node *node, void *old, size_t old_len, size_t new_len)
{
    return node->config.alloc.resize(node->config.alloc.ctx, old, old_len, new_len);
}

static void ring_free(q2p_node *node, struct q2p__ring *ring)
{
    if (ring->items)
        q2p__resize(node, ring->items, (size_t)ring->room * ring->item_len, 0);
    ring->items = NULL;
    ring->room = ring->first = 0;
}

static int ring_reserve(q2p_node *node, struct q2p__ring *ring, unsigned count, unsigned max)
{
    unsigned room = ring->room ? ring->room : RING_FIRST_ROOM;
    uint8_t *items;

    if (ring->used + count > max)
        return Q2P_ERR_FULL;
    if (ring->used + count <= ring->room)
        return Q2P_OK;
    while (room < ring->used + count)
        room *= 2;
    items = q2p__resize(node, NULL, 0, (size_t)room * ring->item_len);
    if (!items)
        return Q2P_ERR_MEMORY;
    for (unsigned i = 0; i < ring->used; i++)
        memcpy(items + (size_t)i * ring->item_len,
               ring->items + (size_t)((ring->first + i) % ring->room) * ring->item_len,
               ring->item_len);
    ring_free(node, ring);
    ring->items = items;
    ring->room = (uint16_t)room;
    return Q2P_OK;
}

static void ring_put(struct q2p__ring *ring, const void *item)
{
    assert(ring->used < ring->room);
    memcpy(ring->items + (size_t)((ring->first + ring->used) % ring->room) * ring->item_len, item,
           ring->item_len);
    ring->used++;
}

static bool ring_take(q2p_node *node, struct q2p__ring *ring, void *item)
{
    if (ring->used == 0)
        return false;
    assert(ring->items);
    memcpy(item, ring->items + (size_t)ring->first * ring->item_len, ring->item_len);
    ring->first = (uint16_t)((ring->first + 1) % ring->room);
    ring->used--;
    if (ring->used == 0 && ring->room > RING_KEPT_ROOM)
        ring_free(node, ring);
    return true;
}

/* ---- happenings and messages ---- */

int q2p__news_reserve(q2p_node *node, unsigned count)
{
    return ring_reserve(node, &node->news, count, Q2P__NEWS_MAX);
}

void q2p__news_tell(q2p_node *node, const struct q2p_happening *told)
{
    q2p__news_give(node, &(struct q2p__news){.told = *told});
}

void q2p__news_give(q2p_node *node, const struct q2p__news *news)
{
    ring_put(&node->news, news);
}

bool q2p__news_take(q2p_node *node, struct q2p__news *news)
{
    return ring_take(node, &node->news, news);
}

void q2p__news_free(q2p_node *node, struct q2p__lent *lent)
{
    if (lent->data) {
        q2p__resize(node, lent->data, lent->data_room, 0);
        node->counters.memory -= lent->data_room;
    }
    if (lent->extra)
        q2p__resize(node, lent->extra, lent->extra_room, 0);
    lent->data = lent->extra = NULL;
}

int q2p__say(q2p_node *node, const struct q2p__note *note)
{
    int status = ring_reserve(node, &node->notes, 1, Q2P__NOTES_MAX);

    if (status == Q2P_OK)
        ring_put(&node->notes, note);
    else
        node->counters.limited++;
    return status;
}

int q2p__say_bare(q2p_node *node, const struct q2p_addr *to, enum q2p_event event)
{
    return q2p__say(node, &(struct q2p__note){.to = *to, .event = event});
}

bool q2p__say_take(q2p_node *node, struct q2p__note *note)
{
    return ring_take(node, &node->notes, note);
}

int q2p__write(const struct q2p__sheet *sheet, const struct q2p_addr *to, enum q2p_dialect dialect,
               const struct q2p_message *message)
{
    int len = q2p_wire_write(sheet->room, Q2P_DATAGRAM_MAX, dialect, message);

    assert(len > 0 && len <= Q2P_DATAGRAM_MAX);
    *sheet->out = (struct q2p_datagram){*to, sheet->room, (size_t)len};
    return 1;
}

void q2p__service_free(q2p_node *node)
{
    struct q2p__news news = {.lent = node->lent};

    do
        q2p__news_free(node, &news.lent);
    while (q2p__news_take(node, &news));
    ring_free(node, &node->news);
    ring_free(node, &node->notes);
}

/* ---- small things ---- */

bool q2p__is_own(const q2p_node *node, const struct q2p_addr *addr)
{
    for (unsigned i = 0; i < node->own_count; i++)
        if (q2p_addr_equal(&node->own[i], addr))
            return true;
    return false;
}

bool q2p__allow(q2p_time *at, q2p_time now, q2p_time cost_ns, q2p_time depth_ns)
{
    if (*at < now - depth_ns)
        *at = now - depth_ns;
    if (*at + cost_ns > now)
        return false;
    *at += cost_ns;
    return true;
}

q2p_time q2p__later(q2p_time now, q2p_time delay_ns)
{
    return delay_ns < Q2P_NEVER - (now > 0 ? now : 0) ? now + delay_ns : Q2P_NEVER;
}

q2p_time q2p__doubled(q2p_time delay_ns, unsigned times)
{
    while (times-- > 0 && delay_ns < Q2P_NEVER / 4)
        delay_ns *= 2;
    return delay_ns;
}
