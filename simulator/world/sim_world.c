/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_world.c - the loop of the simulation, and its packet pool. */
#include "sim_world.h"

#include <string.h>

#include "sim_parts.h"

void sim_world_init(struct sim_world *world, uint64_t seed)
{
    *world = (struct sim_world){.seed = seed};
}

void sim_world_free(struct sim_world *world)
{
    sim_arena_free(&world->packets);
    sim_heap_free(&world->heap);
    sim_queue_free(&world->queue);
}

struct sim_packet *sim_packet_make(struct sim_world *world)
{
    return sim_arena_take(&world->packets, sizeof(struct sim_packet));
}

struct sim_packet *sim_packet_copy(struct sim_world *world, const struct sim_packet *packet)
{
    struct sim_packet *copy = sim_packet_take(world);
    memcpy(copy, packet, sim_packet_size(packet));
    copy->record = NULL;
    return copy;
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
    sim_world_deliver(world, at, element, NULL);
}

static void run_element(struct sim_world *world, struct net_element *element)
{
    if (element->wake_at != world->now) /* a wake-up that an earlier one replaced */
        return;
    element->wake_at = Q2P_NEVER;
    if (element->ops->next_at(element) <= world->now)
        element->ops->run(element, world);
    if (element->wake_at == Q2P_NEVER) /* it has not seen to that itself */
        sim_world_wake(world, element);
}

void sim_world_run(struct sim_world *world, q2p_time until)
{
    struct sim_event event;
    while (sim_queue_take(&world->queue, until, &event)) {
        world->now = event.at;
        world->steps++;
        if (world->part)
            sim_part_note(world->part, &event);
        if (event.packet)
            event.to->ops->forward(event.to, world, event.packet);
        else
            run_element(world, event.to);
    }
    if (until > world->now)
        world->now = world->queue.now = until;
}
