/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_delay.c - holds each packet for a time drawn uniformly; so packets may overtake. */
#include "net_link.h"

static void forward(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    struct net_delay *delay = (struct net_delay *)self;
    uint64_t width = (uint64_t)(delay->max_ns - delay->min_ns);
    q2p_time at = world->now + delay->min_ns;
    if (width > 0)
        at += (q2p_time)sim_rng_below(&delay->rng, width + 1);
    sim_world_deliver(world, at, self, self->next, packet);
}

static const struct net_ops delay_ops = {.forward = forward};

void net_delay_init(struct net_delay *delay, uint64_t seed, const char *stream)
{
    delay->element = (struct net_element){.ops = &delay_ops, .wake_at = Q2P_NEVER};
    sim_rng_init(&delay->rng, seed, stream);
}
