/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_link.c - chains the parts of a link and gives each packet its luck. */
#include "net_link.h"

#include <stdlib.h>

static const struct net_part_kind *const kinds[NET_PARTS] = {
    &net_gate_kind, &net_loss_kind, &net_pattern_kind, &net_spoil_kind,
    &net_copy_kind, &net_rate_kind, &net_delay_kind,
};

/* A part that is not wanted any more stays, outside of the chain: what it holds still goes on. */
void net_link_set(struct net_link *link, const struct net_link_config *config)
{
    struct net_element *next = NULL;
    link->config = *config;
    for (int i = NET_PARTS - 1; i >= 0; i--) {
        if (kinds[i]->wanted(config) && !link->parts[i]) {
            link->parts[i] = sim_alloc(kinds[i]->size);
            link->parts[i]->element.ops = &kinds[i]->ops;
            link->parts[i]->link = link;
        }
        if (link->parts[i])
            link->parts[i]->next = next;
        if (kinds[i]->wanted(config))
            next = &link->parts[i]->element;
    }
    link->start = next;
}

void net_link_free(struct net_link *link)
{
    for (int i = 0; i < NET_PARTS; i++)
        free(link->parts[i]);
}

bool net_link_remembers(const struct net_link_config *config)
{
    return config->to_bad_ppb > 0 || config->correlation_ppb > 0 ||
           net_pattern_kind.wanted(config) || net_rate_kind.wanted(config);
}

void net_link_enter(const struct net_link *link, struct sim_world *world, struct sim_packet *packet,
                    uint64_t key, struct net_turn *turn)
{
    bool again = turn->at == world->now && turn->to == packet->way_to;
    turn->same = again ? turn->same + 1 : 0;
    turn->at = world->now;
    turn->to = packet->way_to;
    packet->turn = 2 * turn->count++; /* the odd ones belong to copies */
    packet->luck = sim_mix_at(key, world->now, packet->digest + turn->same);
    if (link->tap->luck)
        packet->luck = link->tap->luck(link->tap->ctx, packet, key, packet->luck);
    link->start->ops->forward(link->start, world, packet);
}

void net_link_end(const struct net_link *link, struct sim_world *world, struct sim_packet *packet,
                  enum net_fate fate)
{
    if (link->tap->fate)
        link->tap->fate(link->tap->ctx, packet, fate, link->name_of(link->ctx, packet), world->now);
    sim_packet_drop(world, packet);
}

q2p_time net_scale(uint64_t draw, q2p_time width)
{
    uint64_t span = (uint64_t)width + 1;
    return (q2p_time)(span >> 32 ? draw % span : (draw >> 32) * span >> 32);
}
