/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_delay.c - the end of every link: holds each packet for a time drawn; packets may overtake. */
#include "net_link.h"

/* On top of the shortest delay. */
static q2p_time draw_delay(const struct net_link_config *config, const struct sim_packet *packet)
{
    q2p_time width = config->delay_max_ns - config->delay_min_ns, delay = 0;
    if (config->table)
        delay = config->table->items[net_scale(net_draw(packet, NET_DRAW_DELAY),
                                               (q2p_time)config->table->count - 1)] -
                config->table->items[0];
    else if (width > 0)
        delay = net_scale(net_draw(packet, NET_DRAW_DELAY), width);
    if (config->jitter_ns > 0)
        delay += net_shape_draw(config->shape, config->jitter_ns, packet);
    return delay;
}

static bool varies(const struct net_link_config *config)
{
    return config->table || config->delay_max_ns > config->delay_min_ns || config->jitter_ns > 0;
}

/* With correlation the luck of a delay stays for a while: each delay is drawn as it would be
 * without, and two that are n datagrams apart are the same one with the n-th power of the chance.
 */
struct net_delay {
    struct net_part part;
    bool any;
    uint64_t luck; /* of the delay drawn last */
};

static q2p_time draw_correlated(struct net_delay *self, struct sim_packet *packet)
{
    const struct net_link *link = self->part.link;
    uint64_t own = packet->luck;
    if (!self->any || !net_chance(link, packet, NET_DRAW_STAY, link->config.correlation_ppb))
        self->luck = own;
    self->any = true;
    packet->luck = self->luck;
    q2p_time delay = draw_delay(&link->config, packet);
    packet->luck = own;
    return delay;
}

static void forward(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    const struct net_link *link = ((struct net_part *)self)->link;
    const struct net_link_config *config = &link->config;
    q2p_time delay = config->table ? config->table->items[0] : config->delay_min_ns;
    if (varies(config) && net_decide(link, packet, NET_DRAW_DELAY, true))
        delay += config->correlation_ppb > 0 ? draw_correlated((struct net_delay *)self, packet)
                                             : draw_delay(config, packet);
    if (config->reorder_ppb > 0 && net_chance(link, packet, NET_DRAW_REORDER, config->reorder_ppb))
        delay += config->reorder_ns;
    if (delay <= 0 && link->direct) {
        packet->way_end->ops->forward(packet->way_end, world, packet);
        return;
    }
    if (delay < 0)
        delay = 0;
    sim_world_deliver_end(world, world->now + delay, packet);
}

static bool wanted(const struct net_link_config *config)
{
    (void)config;
    return true;
}

const struct net_part_kind net_delay_kind = {
    sizeof(struct net_delay), {.forward = forward}, wanted};
