/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swarm.c - every knob has a stream of its own, so that a new knob leaves the others as they were.
 */
#include "swarm.h"

#include <stdio.h>

#define MS Q2P_MILLISECOND
#define PERCENT (NET_LOSS_ALWAYS / 100)

/* Half of the time off; otherwise *out is within low..high. */
static bool turn(uint64_t seed, const char *knob, int64_t low, int64_t high, int64_t *out)
{
    struct sim_rng rng;
    char stream[96];
    snprintf(stream, sizeof stream, "swarm:%.80s", knob);
    sim_rng_init(&rng, seed, stream);
    bool on = sim_rng_below(&rng, 2) == 1;
    *out = low + (int64_t)sim_rng_below(&rng, (uint64_t)(high - low) + 1);
    return on;
}

static bool turn_of(uint64_t seed, const char *name, const char *knob, int64_t high, int64_t *out)
{
    char stream[80];
    snprintf(stream, sizeof stream, "%.40s/%s", name, knob);
    return turn(seed, stream, 0, high, out);
}

static void turn_node(struct scn_node *node, uint64_t seed)
{
    struct q2p_config *config = &node->protocol.config;
    int64_t value;
    if (turn_of(seed, node->name, "dialect", 1, &value))
        config->dialect = value ? Q2P_DIALECT_CLASSIC : Q2P_DIALECT_OPTIONS;
    if (turn_of(seed, node->name, "persist", 1, &value))
        config->persist = value;
    if (turn_of(seed, node->name, "repair", 1, &value))
        config->repair = value;
    if (turn_of(seed, node->name, "lost", 3000, &value))
        config->lost_ns = (1 + value) * MS;
    if (turn_of(seed, node->name, "timeout", 15000, &value))
        config->timeout_ns = (100 + value) * MS;
    if (turn_of(seed, node->name, "retry", 1000, &value))
        config->retry_ns = (1 + value) * MS;
    if (turn_of(seed, node->name, "keepalive", 20000, &value))
        config->keepalive_ns = value * MS;
    if (turn_of(seed, node->name, "peers-max", 7, &value))
        config->peers_max = (uint16_t)(1 + value);
    if (turn_of(seed, node->name, "burst", 63, &value))
        config->burst = (uint16_t)(1 + value);
    if (turn_of(seed, node->name, "rate", 1 << 20, &value))
        config->rate = (uint32_t)(20000 + value);
    if (turn_of(seed, node->name, "memory-max", 1 << 20, &value))
        config->memory_max = (size_t)value;
    if (turn_of(seed, node->name, "start", 2000, &value))
        node->start_ns += value * MS;
}

static void turn_nat(struct scn_nat *nat, uint64_t seed)
{
    struct net_nat_config *config = &nat->config;
    int64_t value;
    if (turn_of(seed, nat->name, "mapping", 2, &value))
        config->mapping = (enum net_nat_kind)value;
    if (turn_of(seed, nat->name, "filtering", 2, &value))
        config->filtering = (enum net_nat_kind)value;
    if (turn_of(seed, nat->name, "scope", 1, &value))
        config->scope = (enum net_nat_scope)value;
    if (turn_of(seed, nat->name, "ports", 2, &value))
        config->ports = (enum net_nat_ports)value;
    if (turn_of(seed, nat->name, "icmp-kills", 1, &value))
        config->icmp_kills = value;
    if (turn_of(seed, nat->name, "forget", 60000, &value))
        config->forget_ns = (500 + value) * MS;
}

/* Corrupted and cut datagrams are left out: nothing in Q2P promises anything about them. */
static void turn_link(struct scn_link *link, uint64_t seed)
{
    struct net_link_config *config = &link->config;
    int64_t value;
    if (turn(seed, "loss", 0, 30 * (int64_t)PERCENT, &value))
        config->loss_ppb = (uint32_t)value;
    if (turn(seed, "burst", PERCENT / 10, 5 * (int64_t)PERCENT, &value)) {
        config->to_bad_ppb = (uint32_t)value;
        config->to_good_ppb = 20 * PERCENT;
        config->bad_loss_ppb = 90 * PERCENT;
    }
    if (turn(seed, "duplicate", 0, 30 * (int64_t)PERCENT, &value))
        config->duplicate_ppb = (uint32_t)value;
    if (turn(seed, "reorder", 0, 30 * (int64_t)PERCENT, &value)) {
        config->reorder_ppb = (uint32_t)value;
        config->reorder_ns = 100 * MS;
    }
    if (turn(seed, "delay", 0, 200, &value))
        link->delay_ns.max = link->delay_ns.min + value * MS;
    if (turn(seed, "correlation", 0, 99 * (int64_t)PERCENT, &value))
        config->correlation_ppb = (uint32_t)value;
    if (turn(seed, "bad-delay", 0, 100, &value))
        config->bad_delay_ns = value * MS;
    if (turn(seed, "queue-kind", 0, 2, &value)) {
        config->queue_kind = (enum net_queue_kind)value;
        config->red_ppb = 10 * PERCENT;
    }
    if (turn(seed, "bandwidth", 50000, 2000000, &value)) {
        config->rate = (uint32_t)value;
        config->queue_len = 65536;
    }
}

void swarm_scenario(struct scenario *scenario, uint64_t seed)
{
    for (size_t i = 0; i < scenario->nodes.count; i++)
        turn_node(&scenario->nodes.items[i], seed);
    for (size_t i = 0; i < scenario->nats.count; i++)
        turn_nat(&scenario->nats.items[i], seed);
    turn_link(&scenario->link_default, seed);
    for (size_t i = 0; i < scenario->links.count; i++)
        if (!scenario->links.items[i].access.text)
            turn_link(&scenario->links.items[i], seed);
}

bool swarm_judge(const struct scn_run *run)
{
    for (size_t i = 0; i < run->scenario->expect.count; i++)
        if (run->scenario->expect.items[i].never.text && !run->verdicts[i].ok)
            return false;
    return !*run->violation;
}
