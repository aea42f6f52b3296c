/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_gate.c - what does not get through at all: too long for the link, or the link is cut. */
#include "net_link.h"

static void forward(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    const struct net_link *link = ((struct net_part *)self)->link;
    if (link->config.cut)
        net_link_end(link, world, packet, NET_FATE_CUT);
    else if (link->config.mtu > 0 && net_packet_len(packet) > link->config.mtu)
        net_link_end(link, world, packet, NET_FATE_TOO_LONG);
    else
        net_part_pass(self, world, packet);
}

static bool wanted(const struct net_link_config *config)
{
    return config->cut || config->mtu > 0;
}

const struct net_part_kind net_gate_kind = {sizeof(struct net_part), {.forward = forward}, wanted};
