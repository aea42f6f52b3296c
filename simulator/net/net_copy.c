/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_copy.c - sends some packets twice; the second one has luck of its own. */
#include "net_link.h"

static void forward(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    const struct net_link *link = ((struct net_part *)self)->link;
    struct sim_packet *copy = NULL;
    if (net_chance(link, packet, NET_DRAW_DUPLICATE, link->config.duplicate_ppb)) {
        copy = sim_packet_copy(world, packet);
        copy->turn = packet->turn + 1;
        copy->luck = net_draw(packet, NET_DRAW_COPY);
    }
    net_part_pass(self, world, packet);
    if (copy)
        net_part_pass(self, world, copy);
}

static bool wanted(const struct net_link_config *config)
{
    return config->duplicate_ppb > 0;
}

const struct net_part_kind net_copy_kind = {sizeof(struct net_part), {.forward = forward}, wanted};
