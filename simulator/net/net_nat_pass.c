/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_nat_pass.c - datagrams through a NAT. Nearly all of them use the mapping that was used last,
 * by a right that there is already: that is done here, all else in net_nat.c, with the same result.
 */
#include "net_nat_table.h"
#include "sim_memory.h"

/* The mapping used last, if it still holds, every remote may use it, and it shares its port with no
 * other. */
static inline struct net_nat_mapping *used_last(const struct net_nat_table *nat, q2p_time now)
{
    if (!nat->plain)
        return NULL;
    struct net_nat_mapping *mapping = &nat->mappings[nat->used];
    return is_fresh(nat, mapping->last_ns, mapping->state & REPLIED, now) ? mapping : NULL;
}

/* Of such a mapping: there has been a right since there is one. */
static inline struct net_nat_permission *find_right(const struct net_nat_table *nat, q2p_time now,
                                                    const struct net_nat_mapping *mapping,
                                                    const struct q2p_addr *remote)
{
    struct net_nat_permission *permission = find_slot(nat, plain_key(nat, mapping, remote));
    return is_open(nat, permission, now) ? permission : NULL;
}

int net_nat_out(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *inside,
                const struct q2p_addr *to, struct q2p_addr *outside)
{
    struct net_nat_mapping *mapping = used_last(nat, now);
    struct net_nat_permission *permission = NULL;
    nat->made = false;
    if (mapping && net_addr_same(&mapping->inside, inside))
        permission = find_right(nat, now, mapping, to);
    if (!permission)
        return net_nat_out_slowly(nat, now, inside, to, outside);
    *outside = nat->outsides[mapping->outside];
    outside->port = mapping->port;
    if (nat->config.refresh != NET_NAT_REFRESH_IN) {
        mapping->last_ns = now;
        permission->refresh = 2 * (uint64_t)now | (permission->refresh & 1);
    }
    return Q2P_OK;
}

int net_nat_in(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *to,
               const struct q2p_addr *from, struct q2p_addr *inside)
{
    struct net_nat_mapping *mapping = used_last(nat, now);
    struct net_nat_permission *permission = NULL;
    if (mapping && mapping->port == to->port && net_ip_same(&nat->outsides[mapping->outside], to))
        permission = find_right(nat, now, mapping, from);
    if (!permission)
        return net_nat_in_slowly(nat, now, to, from, inside);
    *inside = mapping->inside;
    use_in(nat, now, mapping, permission);
    return Q2P_OK;
}

void *net_nat_soon(const struct net_nat_table *nat, const struct q2p_addr *remote)
{
    if (!nat->plain || nat->mappings_room != 1)
        return NULL;
    uint64_t key = plain_key(nat, &nat->only, remote);
    sim_fetch_line(&nat->permissions[(uint32_t)(key >> 32) & (nat->permissions_room - 1)]);
    return nat->only.note;
}
