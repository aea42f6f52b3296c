/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_world.c - the loop of the simulation, and its packet pool. */
#include "sim_world.h"

#include <assert.h>
#include <string.h>

/* What a packet is while nobody needs it. */
struct sim_spare {
    struct sim_spare *next;
};

void sim_world_init(struct sim_world *world, uint64_t seed)
{
    *world = (struct sim_world){.seed = seed};
}

void sim_world_free(struct sim_world *world)
{
    sim_arena_free(&world->packets);
    sim_queue_free(&world->queue);
}

struct sim_packet *sim_packet_take(struct sim_world *world)
{
    struct sim_spare *spare = world->unused;
    struct sim_packet *packet;
    if (spare) {
        world->unused = spare->next;
        packet = (void *)spare;
    } else {
        packet = sim_arena_take(&world->packets, sizeof *packet);
    }
    packet->record = NULL;
    return packet;
}

void sim_packet_drop(struct sim_world *world, struct sim_packet *packet)
{
    struct sim_spare *spare = (void *)packet;
    spare->next = world->unused;
    world->unused = spare;
}

struct sim_packet *sim_packet_copy(struct sim_world *world, const struct sim_packet *packet)
{
    struct sim_packet *copy = sim_packet_take(world);
    memcpy(copy, packet, offsetof(struct sim_packet, bytes) + packet->len);
    copy->record = NULL;
    return copy;
}

void sim_world_deliver(struct sim_world *world, q2p_time at, struct net_element *by,
                       struct net_element *to, struct sim_packet *packet)
{
    assert(at >= world->now);
    struct sim_event event = {at, by->order, by->counter++, to, packet};
    sim_queue_push(&world->queue, &event);
}

void sim_world_deliver_turn(struct sim_world *world, q2p_time at, struct net_element *to,
                            struct sim_packet *packet)
{
    assert(at >= world->now);
    struct sim_event event = {at, packet->order, packet->turn, to, packet};
    sim_queue_push(&world->queue, &event);
}

void sim_world_wake(struct sim_world *world, struct net_element *element)
{
    if (!element->ops->next_at)
        return;
    q2p_time at = element->ops->next_at(element);
    if (at < world->now)
        at = world->now;
    if (at >= element->wake_at) /* an earlier wake-up asks again; Q2P_NEVER lands here too */
        return;
    element->wake_at = at;
    sim_world_deliver(world, at, element, element, NULL);
}

static void run_element(struct sim_world *world, struct net_element *element)
{
    if (element->wake_at != world->now) /* a wake-up that an earlier one replaced */
        return;
    element->wake_at = Q2P_NEVER;
    if (element->ops->next_at(element) <= world->now)
        element->ops->run(element, world);
    sim_world_wake(world, element);
}

void sim_world_run(struct sim_world *world, q2p_time until)
{
    const struct sim_event *first;
    while ((first = sim_queue_first(&world->queue)) && first->at <= until) {
        struct sim_event event = *first;
        sim_queue_pop(&world->queue);
        world->now = event.at;
        world->steps++;
        if (event.packet)
            event.to->ops->forward(event.to, world, event.packet);
        else
            run_element(world, event.to);
    }
    if (until > world->now)
        world->now = world->queue.now = until;
}
