/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_world.h - one clock, one queue, one pool of packets. It moves packets between elements and
 * wakes elements; what an element is, it does not know.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <assert.h>

#include <q2p/wire.h>

#include "sim_memory.h"
#include "sim_queue.h"

/* Two lines of memory, then the bytes. */
struct sim_packet {
    struct q2p_addr src, dst; /* as they are where the packet is now */
    uint32_t len;
    uint32_t from, to;         /* places: host that sent it; host that gets it, once it is there */
    uint32_t turn;             /* with order: who goes first at the same instant */
    uint64_t id;               /* of the datagram, the same at every vantage point */
    uint64_t digest;           /* of its bytes */
    struct sim_record *record; /* the observer's: newest sighting of this packet */
    q2p_time sent_ns;
    uint64_t order; /* belongs to the peer or the link, so that no queue or loop changes the run */
    /* On a link: the places it joins, who gets it, and all the luck it will have there. */
    uint32_t way_from, way_to;
    struct net_element *way_end;
    uint64_t luck;
    uint8_t bytes[Q2P_DATAGRAM_MAX];
};

/* Of the packet, as far as it has bytes. */
static inline size_t sim_packet_size(const struct sim_packet *packet)
{
    return offsetof(struct sim_packet, bytes) + packet->len;
}

/* What a packet is while nobody needs it. */
struct sim_spare {
    struct sim_spare *next;
};

/* Where in the order of a run something happens. */
struct sim_moment {
    q2p_time at;
    uint64_t order;
    uint32_t turn;
};

static inline struct sim_moment sim_moment_of(const struct sim_event *event)
{
    const struct sim_packet *packet = event->packet;
    return packet
               ? (struct sim_moment){event->at, packet->order, packet->turn}
               : (struct sim_moment){event->at, ((const struct net_runner *)event->to)->order, 0};
}

static inline bool sim_moment_before(const struct sim_moment *a, const struct sim_moment *b)
{
    if (a->at != b->at)
        return a->at < b->at;
    return a->order != b->order ? a->order < b->order : a->turn < b->turn;
}

struct sim_world {
    q2p_time now;
    uint64_t seed;
    uint64_t steps; /* events so far */
    struct sim_queue queue;
    struct sim_spare *unused; /* packets; the last one first, as it is in the cache */
    struct sim_arena packets;
    struct sim_part *part; /* of a run on several threads; NULL = this is all of it */
    struct sim_heap heap;  /* of machines, for as long as they live */
};

void sim_world_init(struct sim_world *world, uint64_t seed);
void sim_world_free(struct sim_world *world);

/* Runs everything up to and including `until`; afterwards that is the time. */
void sim_world_run(struct sim_world *world, q2p_time until);

/* Hands packet to `to` at the time `at`; its order and turn decide ties. */
static inline void sim_world_deliver(struct sim_world *world, q2p_time at, struct net_element *to,
                                     struct sim_packet *packet)
{
    assert(at >= world->now);
    struct sim_event event = {at, to, packet};
    sim_queue_push(&world->queue, &event);
}

/* For another part? Then it takes the packet over. */
bool sim_part_carry(struct sim_part *part, q2p_time at, struct sim_packet *packet);

/* The same at the end of a link, which may lead to another thread. */
static inline void sim_world_deliver_end(struct sim_world *world, q2p_time at,
                                         struct sim_packet *packet)
{
    if (!world->part || !sim_part_carry(world->part, at, packet))
        sim_world_deliver(world, at, packet->way_end, packet);
}

/* Sees to it that a runner runs when it wants to. Call it after whatever may change that. */
static inline void sim_world_wake_at(struct sim_world *world, struct net_runner *runner,
                                     q2p_time at)
{
    if (at < world->now)
        at = world->now;
    if (at >= runner->wake_at) /* an earlier wake-up asks again; Q2P_NEVER lands here too */
        return;
    runner->wake_at = at;
    sim_world_deliver(world, at, &runner->element, NULL);
}

/* The same; it is asked when. */
static inline void sim_world_wake(struct sim_world *world, struct net_runner *runner)
{
    sim_world_wake_at(world, runner, runner->element.ops->next_at(runner));
}

/* Packets come from a pool that only grows: nothing is allocated once traffic is steady. */
struct sim_packet *sim_packet_make(struct sim_world *world);

static inline struct sim_packet *sim_packet_take(struct sim_world *world)
{
    struct sim_spare *spare = world->unused;
    if (!spare)
        return sim_packet_make(world);
    struct sim_packet *packet = (struct sim_packet *)(void *)spare;
    world->unused = spare->next;
    sim_fetch(spare->next, offsetof(struct sim_packet, bytes)); /* wanted next time */
    packet->record = NULL;
    return packet;
}

static inline void sim_packet_drop(struct sim_world *world, struct sim_packet *packet)
{
    struct sim_spare *spare = (struct sim_spare *)(void *)packet;
    spare->next = world->unused;
    world->unused = spare;
}

/* Another packet with the same bytes and addresses, unknown to observers. */
struct sim_packet *sim_packet_copy(struct sim_world *world, const struct sim_packet *packet);

#endif
