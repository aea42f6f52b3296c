/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_spoil.c - flips one bit of a packet, or cuts off its end. */
#include "net_link.h"

static void forward(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    const struct net_link *link = ((struct net_part *)self)->link;
    bool spoilt = false;
    if (packet->len > 0 && net_chance(link, packet, NET_DRAW_CORRUPT, link->config.corrupt_ppb)) {
        uint64_t bit = net_draw(packet, NET_DRAW_CORRUPT_AT) % (8 * (uint64_t)packet->len);
        packet->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        spoilt = true;
    }
    if (packet->len > 0 && net_chance(link, packet, NET_DRAW_TRUNCATE, link->config.truncate_ppb)) {
        packet->len = (uint32_t)(net_draw(packet, NET_DRAW_TRUNCATE_AT) % packet->len);
        spoilt = true;
    }
    if (spoilt)
        packet->digest = sim_mix_bytes(0, packet->bytes, packet->len);
    net_part_pass(self, world, packet);
}

static bool wanted(const struct net_link_config *config)
{
    return config->corrupt_ppb > 0 || config->truncate_ppb > 0;
}

const struct net_part_kind net_spoil_kind = {sizeof(struct net_part), {.forward = forward}, wanted};
