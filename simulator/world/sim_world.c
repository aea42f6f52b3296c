/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_world.c - the loop of the simulation, and its packet pool. */
#include "sim_world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_PACKETS 64

struct sim_chunk {
    struct sim_chunk *next;
    struct sim_packet packets[CHUNK_PACKETS];
};

static _Noreturn void give_up(void)
{
    fputs("q2p-sim: out of memory\n", stderr);
    exit(4);
}

void *sim_alloc(size_t len)
{
    void *out = calloc(1, len);
    if (!out)
        give_up();
    return out;
}

void *sim_resize(void *array, size_t len)
{
    void *out = realloc(array, len);
    if (!out)
        give_up();
    return out;
}

void *sim_grow(void *array, size_t *room, size_t item_len)
{
    size_t wanted = *room ? *room * 2 : 16;
    void *out = wanted <= SIZE_MAX / item_len ? realloc(array, wanted * item_len) : NULL;
    if (!out)
        give_up();
    *room = wanted;
    return out;
}

void sim_world_init(struct sim_world *world, uint64_t seed)
{
    *world = (struct sim_world){.seed = seed};
}

void sim_world_free(struct sim_world *world)
{
    while (world->chunks) {
        struct sim_chunk *next = world->chunks->next;
        free(world->chunks);
        world->chunks = next;
    }
    sim_queue_free(&world->queue);
}

struct sim_packet *sim_packet_take(struct sim_world *world)
{
    if (!world->unused) {
        struct sim_chunk *chunk = sim_alloc(sizeof *chunk);
        chunk->next = world->chunks;
        world->chunks = chunk;
        for (int i = 0; i < CHUNK_PACKETS; i++)
            sim_packet_drop(world, &chunk->packets[i]);
    }
    struct sim_packet *packet = world->unused;
    world->unused = packet->next;
    packet->record = NULL;
    return packet;
}

void sim_packet_drop(struct sim_world *world, struct sim_packet *packet)
{
    packet->next = world->unused;
    world->unused = packet;
}

struct sim_packet *sim_packet_copy(struct sim_world *world, const struct sim_packet *packet)
{
    struct sim_packet *copy = sim_packet_take(world);
    memcpy(copy, packet, offsetof(struct sim_packet, bytes) + packet->len);
    copy->next = NULL;
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
        world->now = until;
}
