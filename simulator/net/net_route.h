/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_route.h - the map. A realm is an address space: realm 0 is the public network, every NAT
 * opens one more behind itself. A place is where a host or a NAT touches a realm. Between places
 * of realm 0 there are links; inside a NAT's realm there is a plain local network.
 */
#ifndef NET_ROUTE_H
#define NET_ROUTE_H

#include "net_link.h"
#include "net_nat.h"

#define NET_REALM_PUBLIC 0u
#define NET_NOWHERE UINT32_MAX
#define NET_LAN_DELAY_NS (100 * Q2P_MICROSECOND) /* inside one realm behind a NAT; no loss */

struct net_place {
    struct net_element in;  /* what comes from the realm */
    struct net_element out; /* what goes to the realm */
    struct net *net;
    const char *name; /* borrowed */
    uint32_t index;
    uint32_t realm;
    uint32_t inner;           /* NAT: the realm behind it; host: NET_NOWHERE */
    struct q2p_addr addr;     /* NAT: port 0 */
    struct net_element *host; /* who gets what arrives; NULL for a NAT */
    struct net_nat_table nat;
};

struct net {
    struct sim_world *world;
    const struct net_tap *tap;
    struct net_place **places;
    size_t places_count, places_room;
    uint32_t *gateways; /* realm -> place of its NAT */
    size_t realms_count, realms_room;
    uint32_t *finder; /* open addressing: realm and address -> place + 1 */
    size_t finder_room;
    struct net_link **links; /* open addressing: pair of places -> link */
    size_t links_count, links_room;
    struct net_link_config link_default;
};

void net_init(struct net *net, struct sim_world *world, const struct net_tap *tap,
              const struct net_link_config *link_default);
void net_free(struct net *net);

/* Both return the new place; its index is its number. name is borrowed. The address must be
 * unique in the realm. NAT number n (from 0) opens realm
 * n + 1. Hosts set ->host afterwards and send by forwarding to ->out. */
struct net_place *net_add_host(struct net *net, const char *name, uint32_t realm,
                               const struct q2p_addr *addr);
struct net_place *net_add_nat(struct net *net, const char *name, uint32_t realm,
                              const struct q2p_addr *outside, const struct net_nat_config *config);

/* Where a host's or NAT's traffic enters the public network: itself or its outermost NAT. */
uint32_t net_public_place(const struct net *net, uint32_t place);

/* The link from one public place to another; made with the default when first asked for. */
struct net_link *net_link_between(struct net *net, uint32_t from, uint32_t to);

/* Whose host is meant by `addr`, as `seen_from` uses it? NET_NOWHERE if nobody's. */
uint32_t net_who(struct net *net, uint32_t seen_from, const struct q2p_addr *addr);

/* True if `from` can address `to` without any NAT in between that hides it. */
bool net_is_open(const struct net *net, uint32_t from, uint32_t to);

#endif
