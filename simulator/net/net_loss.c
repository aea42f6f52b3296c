/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_loss.c - loses packets, each independent of the others. */
#include "net_link.h"

static void forward(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    struct net_loss *loss = (struct net_loss *)self;
    /* The draw comes even without loss: raising the loss later must not shift the stream. */
    if (sim_rng_below(&loss->rng, NET_LOSS_ALWAYS) >= loss->loss_ppb) {
        self->next->ops->forward(self->next, world, packet);
        return;
    }
    loss->tap->fate(loss->tap->ctx, packet, NET_FATE_LOST, loss->where, world->now);
    sim_packet_drop(world, packet);
}

static const struct net_ops loss_ops = {.forward = forward};

void net_loss_init(struct net_loss *loss, uint64_t seed, const char *stream)
{
    loss->element = (struct net_element){.ops = &loss_ops, .wake_at = Q2P_NEVER};
    sim_rng_init(&loss->rng, seed, stream);
}
