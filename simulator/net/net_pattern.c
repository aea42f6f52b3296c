/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_pattern.c - loses packets by their number: every n-th, after a mask, after a trace. */
#include <string.h>

#include "net_link.h"

struct net_pattern {
    struct net_part part;
    uint64_t count;
};

static bool is_lost(const struct net_link_config *config, uint64_t number)
{
    if (config->lose_every > 0 && number % config->lose_every == config->lose_every - 1)
        return true;
    if (config->lose_mask && config->lose_mask[number % strlen(config->lose_mask)] == '1')
        return true;
    return config->lose_trace && number < strlen(config->lose_trace) &&
           config->lose_trace[number] == '1';
}

static void forward(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    struct net_pattern *pattern = (struct net_pattern *)self;
    if (is_lost(&pattern->part.link->config, pattern->count++))
        net_link_end(pattern->part.link, world, packet, NET_FATE_LOST);
    else
        self->next->ops->forward(self->next, world, packet);
}

static bool wanted(const struct net_link_config *config)
{
    return config->lose_every > 0 || config->lose_mask || config->lose_trace;
}

const struct net_part_kind net_pattern_kind = {
    sizeof(struct net_pattern), {.forward = forward}, wanted};
