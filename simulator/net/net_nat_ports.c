/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_nat_ports.c - which outside address and port a new mapping gets; devices by their names. */
#include <string.h>

#include "net_nat.h"
#include "sim_world.h"

#define BLOCK_LEN (1 << 9) /* ports; a usual size */
#define MINUTES(n) ((n)*60 * Q2P_SECOND)

/* clang-format off */
static const struct net_nat_config presets[] = {
    /* "": what a NAT is without a preset */
    {NET_NAT_INDEPENDENT, NET_NAT_PORT, .forget_ns = MINUTES(2)},
    /* cone, restricted-cone, port-restricted-cone, symmetric: the words of RFC 3489 */
    {NET_NAT_INDEPENDENT, NET_NAT_INDEPENDENT, .forget_ns = MINUTES(2)},
    {NET_NAT_INDEPENDENT, NET_NAT_ADDRESS, .forget_ns = MINUTES(2)},
    {NET_NAT_INDEPENDENT, NET_NAT_PORT, .forget_ns = MINUTES(2)},
    {NET_NAT_PORT, NET_NAT_PORT, .ports = NET_NAT_RANDOM, .forget_ns = MINUTES(2)},
    /* rfc4787: what its requirements ask for */
    {NET_NAT_INDEPENDENT, NET_NAT_ADDRESS, .ports = NET_NAT_PARITY,
     .hairpin = NET_NAT_HAIRPIN_EXTERNAL, .forget_ns = MINUTES(5)},
    /* linux-masq, linux-masq-drop, linux-random: one entry per pair of endpoints */
    {NET_NAT_PORT, NET_NAT_PORT, .forget_ns = MINUTES(2), .forget_new_ns = 30 * Q2P_SECOND,
     .refresh = NET_NAT_REFRESH_BOTH, .overload = true, .clash = true},
    {NET_NAT_PORT, NET_NAT_PORT, .forget_ns = MINUTES(2), .forget_new_ns = 30 * Q2P_SECOND,
     .refresh = NET_NAT_REFRESH_BOTH, .overload = true},
    {NET_NAT_PORT, NET_NAT_PORT, .ports = NET_NAT_RANDOM, .forget_ns = MINUTES(2),
     .forget_new_ns = 30 * Q2P_SECOND, .refresh = NET_NAT_REFRESH_BOTH},
    /* cgnat: RFC 6888 with blocks of ports (RFC 7422) */
    {NET_NAT_INDEPENDENT, NET_NAT_INDEPENDENT, .ports = NET_NAT_BLOCK,
     .hairpin = NET_NAT_HAIRPIN_EXTERNAL, .forget_ns = MINUTES(2), .block_len = BLOCK_LEN, .quota = BLOCK_LEN},
};
/* clang-format on */

void net_nat_preset(uint32_t number, struct net_nat_config *config)
{
    *config = presets[number];
    config->port_first = NET_NAT_PORT_FIRST;
    config->port_last = NET_NAT_PORT_LAST;
    if (config->block_len == 0)
        config->block_len = BLOCK_LEN;
    if (config->forget_new_ns == 0)
        config->forget_new_ns = config->forget_ns;
}

/* A number below `count`; 0 if it is decided that luck must not say. */
static uint32_t draw_below(struct net_nat_table *nat, const struct net_nat_want *want, bool port,
                           uint32_t count)
{
    uint32_t drawn = (uint32_t)sim_rng_below(&nat->rng, count);
    struct net_nat_draw draw = {nat->draws++, port, want->inside, want->to};
    return !nat->watch || nat->watch->decide(nat->ctx, &draw) ? drawn : 0;
}

static uint8_t choose_outside(struct net_nat_table *nat, const struct net_nat_want *want)
{
    if (nat->outsides_count < 2)
        return 0;
    if (nat->config.pooling == NET_NAT_ARBITRARY)
        return (uint8_t)draw_below(nat, want, false, nat->outsides_count);
    uint64_t draw = sim_mix_bytes(0, want->inside->ip, sizeof want->inside->ip);
    return (uint8_t)(draw % nat->outsides_count);
}

/* The block of a host, in the order in which hosts come; -1 = all are given away. */
static int64_t block_of(struct net_nat_table *nat, const struct q2p_addr *inside, uint32_t blocks)
{
    size_t at = 0;
    while (at < nat->blocks_count && memcmp(nat->blocks[at].ip, inside->ip, sizeof inside->ip) != 0)
        at++;
    if (at == nat->blocks_count) {
        if (at == blocks)
            return -1;
        if (at == nat->blocks_room)
            nat->blocks = sim_grow(nat->blocks, &nat->blocks_room, sizeof *nat->blocks);
        nat->blocks[nat->blocks_count++] = *inside;
    }
    return (int64_t)at;
}

int net_nat_choose(struct net_nat_table *nat, struct net_nat_want *want)
{
    const struct net_nat_config *config = &nat->config;
    uint32_t first = config->port_last ? config->port_first : NET_NAT_PORT_FIRST;
    uint32_t last = config->port_last ? config->port_last : NET_NAT_PORT_LAST;
    uint32_t count = last - first + 1, at, step = 1, offset = 0;
    want->outside = choose_outside(nat, want);
    want->port = want->inside->port;
    bool keeps = config->ports == NET_NAT_PRESERVE || config->ports == NET_NAT_PARITY;
    if (keeps && !want->elsewhere && net_nat_is_free(nat, want, want->port))
        return Q2P_OK;
    if (config->ports == NET_NAT_BLOCK) {
        uint32_t len = config->block_len < count ? config->block_len : count;
        int64_t block = block_of(nat, want->inside, count / len);
        if (block < 0)
            return Q2P_ERR_FULL;
        first += (uint32_t)block * len;
        count = len;
    }
    at = config->ports == NET_NAT_SEQUENTIAL && nat->port_at >= first && nat->port_at <= last
             ? nat->port_at + 1 - first
             : draw_below(nat, want, true, count);
    if (config->ports == NET_NAT_PARITY) { /* every other port, also where the range wraps */
        offset = (first ^ want->inside->port) & 1;
        count = (count - offset + 1) / 2;
        step = 2;
        at /= 2;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint16_t port = (uint16_t)(first + offset + step * ((at + i) % count));
        if (port != want->inside->port || !want->elsewhere) {
            if (net_nat_is_free(nat, want, port)) {
                nat->port_at = want->port = port;
                return Q2P_OK;
            }
        }
    }
    return Q2P_ERR_FULL;
}
