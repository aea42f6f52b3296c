/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_pattern.c - loses packets by their number (every n-th, after a mask, after a trace) or by
 * what they say: the first so many of some messages.
 */
#include <string.h>

#include "net_link.h"

struct net_pattern {
    struct net_part part;
    uint64_t count;
    uint32_t events; /* lost so far by what they say */
};

static bool is_named(const struct net_link_config *config, const struct sim_packet *packet)
{
    enum q2p_dialect dialect = q2p_wire_dialect(packet->bytes, packet->len, packet->len);
    struct q2p_packet read;
    q2p_wire_read(&read, dialect == Q2P_DIALECT_UNKNOWN ? Q2P_DIALECT_CLASSIC : dialect,
                  packet->bytes, packet->len, packet->len);
    return config->lose_events >> read.event & 1;
}

/* Lost by what it says? */
static bool is_unwelcome(struct net_pattern *pattern, const struct sim_packet *packet)
{
    const struct net_link_config *config = &pattern->part.link->config;
    if (config->lose_events == 0 || !is_named(config, packet) ||
        (config->lose_events_first > 0 && pattern->events >= config->lose_events_first))
        return false;
    pattern->events++;
    return true;
}

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
    bool lost = is_lost(&pattern->part.link->config, pattern->count++);
    if (is_unwelcome(pattern, packet) || lost)
        net_link_end(pattern->part.link, world, packet, NET_FATE_LOST);
    else
        net_part_pass(self, world, packet);
}

static bool wanted(const struct net_link_config *config)
{
    return config->lose_every > 0 || config->lose_mask || config->lose_trace ||
           config->lose_events > 0;
}

const struct net_part_kind net_pattern_kind = {
    sizeof(struct net_pattern), {.forward = forward}, wanted};
