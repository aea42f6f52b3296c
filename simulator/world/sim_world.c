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

static void wake_up(struct sim_world *world, struct net_runner *runner)
{
    const struct net_ops *ops = runner->element.ops;
    if (runner->wake_at != world->now) /* a wake-up that an earlier one replaced */
        return;
    runner->wake_at = Q2P_NEVER;
    if (ops->next_at(runner) <= world->now)
        ops->run(runner, world);
    if (runner->wake_at == Q2P_NEVER) /* it has not seen to that itself */
        sim_world_wake(world, runner);
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
            wake_up(world, (struct net_runner *)event.to);
    }
    if (until > world->now)
        world->now = world->queue.now = until;
}
