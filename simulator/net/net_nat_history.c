/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_nat_history.c - a NAT as it was a short while ago. On several threads what happens is told
 * at the end of a window; whoever listens then and asks whose an endpoint is means the instant
 * that he is told of. Mappings are in the order in which they are made, so those told are the
 * first ones; that one is used later does not matter, as only what still holds can be used.
 */
#include <stdlib.h>

#include "net_nat_table.h"
#include "sim_memory.h"

void net_nat_remember(struct net_nat_table *nat, q2p_time hold_ns)
{
    if (!nat->history) {
        nat->history = sim_alloc(sizeof *nat->history);
        nat->history->mappings = nat->mappings_count;
    }
    nat->history->hold_ns = hold_ns;
}

void net_nat_history_reset(struct net_nat_table *nat)
{
    if (nat->history)
        nat->history->mappings = 0;
    if (nat->history)
        nat->history->count = nat->history->told = 0;
}

void net_nat_history_free(struct net_nat_table *nat)
{
    if (nat->history)
        free(nat->history->past);
    free(nat->history);
    nat->history = NULL;
}

void net_nat_history_add(struct net_nat_table *nat, uint64_t key)
{
    struct net_nat_history *history = nat->history;
    if (history->count == history->room)
        history->past = sim_grow(history->past, &history->room, sizeof *history->past);
    const struct net_nat_permission *before = find_slot(nat, key);
    history->past[history->count++] =
        (struct net_nat_past){*before, key, nat->owners[before - nat->permissions]};
    if (nat->watch && nat->watch->granted)
        nat->watch->granted(nat->ctx);
}

void net_nat_told_made(struct net_nat_table *nat)
{
    if (nat->history)
        nat->history->mappings++;
}

void net_nat_told_granted(struct net_nat_table *nat)
{
    struct net_nat_history *history = nat->history;
    if (++history->told == history->count)
        history->told = history->count = 0;
}

static int owner_of(const struct net_nat_table *nat, const struct net_nat_asked *asked,
                    const struct q2p_addr *to, const struct q2p_addr *from, struct q2p_addr *inside)
{
    const struct net_nat_mapping *mapping = net_nat_find_meant(nat, asked, to, from);
    if (!mapping)
        return Q2P_ERR_ABSENT;
    *inside = mapping->inside;
    return Q2P_OK;
}

int net_nat_owner(const struct net_nat_table *nat, q2p_time now, const struct q2p_addr *to,
                  const struct q2p_addr *from, struct q2p_addr *inside)
{
    const struct net_nat_asked asked = net_nat_asked_now(now);
    return owner_of(nat, &asked, to, from, inside);
}

int net_nat_owner_then(const struct net_nat_table *nat, q2p_time then, const struct q2p_addr *to,
                       const struct q2p_addr *from, struct q2p_addr *inside)
{
    const struct net_nat_history *history = nat->history;
    const struct net_nat_asked asked = {then, history ? history->mappings : UINT32_MAX, history};
    return owner_of(nat, &asked, to, from, inside);
}
