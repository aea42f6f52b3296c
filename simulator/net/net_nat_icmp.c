/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_nat_icmp.c - errors of ICMP: what a NAT does with the datagram that is quoted (RFC 5508). */
#include "net_nat_table.h"

void net_nat_icmp(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *from,
                  const struct q2p_addr *to)
{
    const struct net_nat_asked asked = net_nat_asked_now(now);
    struct net_nat_mapping *mapping = net_nat_find_meant(nat, &asked, from, to);
    if (!nat->config.icmp_kills || !mapping)
        return;
    mapping->last_ns = now - nat->config.forget_ns - nat->config.forget_new_ns;
    nat->errors++;
}

/* It came in by a mapping that lets its sender in; the newest, if there are several. */
int net_nat_icmp_out(const struct net_nat_table *nat, q2p_time now, const struct q2p_addr *inside,
                     const struct q2p_addr *remote, struct q2p_addr *outside)
{
    uint64_t owner = net_addr_hash(inside);
    for (uint32_t i = nat->permissions_room ? nat->mappings_count : 0; i > 0; i--) {
        const struct net_nat_mapping *mapping = &nat->mappings[i - 1];
        if (!net_addr_same(&mapping->inside, inside) ||
            !is_fresh(nat, mapping->last_ns, mapping->state & REPLIED, now) ||
            !is_open(nat, find_slot(nat, right_key(nat, mapping, owner, remote)), now))
            continue;
        *outside = nat->outsides[mapping->outside];
        outside->port = mapping->port;
        return Q2P_OK;
    }
    return Q2P_ERR_ABSENT;
}
