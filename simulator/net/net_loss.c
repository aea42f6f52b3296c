/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_loss.c - loses packets: each independent of the others, or, after Gilbert and Elliott, in a
 * good and a bad state with a probability each and transitions before every packet. The bad state
 * may delay as well as lose, as what is congested does.
 */
#include "net_link.h"

struct net_loss {
    struct net_part part;
    bool bad;
};

static void forward(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    struct net_loss *loss = (struct net_loss *)self;
    const struct net_link *link = loss->part.link;
    const struct net_link_config *config = &link->config;
    uint32_t loss_ppb = config->loss_ppb;
    if (config->to_bad_ppb > 0) {
        if (net_chance(link, packet, NET_DRAW_TURN_BAD,
                       loss->bad ? config->to_good_ppb : config->to_bad_ppb))
            loss->bad = !loss->bad;
        if (loss->bad)
            loss_ppb = config->bad_loss_ppb;
    }
    if (net_chance(link, packet, NET_DRAW_LOSS, loss_ppb))
        net_link_end(link, world, packet, NET_FATE_LOST);
    else if (loss->bad && config->to_bad_ppb > 0 && config->bad_delay_ns > 0)
        sim_world_deliver(world, world->now + config->bad_delay_ns, loss->part.next, packet);
    else
        net_part_pass(self, world, packet);
}

static bool wanted(const struct net_link_config *config)
{
    return config->loss_ppb > 0 || config->to_bad_ppb > 0;
}

const struct net_part_kind net_loss_kind = {sizeof(struct net_loss), {.forward = forward}, wanted};
