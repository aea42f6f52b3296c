/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_route.h - the map. A realm is an address space: realm 0 is the public network, every NAT
 * opens one more behind itself. A place is where a host or a NAT touches a realm. Between places
 * of realm 0 there are links; inside a NAT's realm there is a plain local network. A host may
 * have an access link between itself and its place, one for each direction.
 */
#ifndef NET_ROUTE_H
#define NET_ROUTE_H

#include "net_link.h"
#include "net_nat.h"

#define NET_REALM_PUBLIC 0u
#define NET_NOWHERE UINT32_MAX
/* Between neighbours behind a NAT, without loss; they and the NAT itself are no distance apart. */
#define NET_LAN_DELAY_NS (100 * Q2P_MICROSECOND)

/* What does not pass between those of a partition and all others. */
#define NET_SIDE_WORDS "|out|in"
enum net_side_way { NET_SIDE_BOTH, NET_SIDE_OUT, NET_SIDE_IN };

/* Two lines of memory: a packet that arrives or is sent from behind a NAT needs the first alone. */
struct net_place {
    struct net_element in;  /* what comes from the realm */
    struct net_element out; /* what goes to the realm */
    struct net *net;
    union {                        /* by net_is_nat */
        struct net_element *host;  /* who gets what arrives */
        struct net_nat_table *nat; /* right behind the place */
    };
    struct net_access *access; /* NULL = as if the host were its place */
    struct net_place *gateway; /* the NAT it is behind; NULL = public, or not asked for */
    uint32_t index;
    uint32_t realm;
    uint32_t inner;       /* NAT: the realm behind it; host: NET_NOWHERE */
    uint16_t side;        /* of a partition; unequal sides do not reach each other */
    uint8_t side_way;     /* enum net_side_way, of a side other than 0 */
    bool links : 1;       /* a link from here has memory of its own */
    bool down : 1;        /* the host is: what reaches it ends */
    struct q2p_addr addr; /* NAT: the first outside address, port 0 */
    uint64_t hash;        /* of the name and the seed: luck on links comes from it */
    struct net_turn turn;
    const char *name; /* borrowed */
};

/* A NAT: what a datagram needs stands together, in five lines. */
struct net_nat_place {
    struct net_place place;
    uint64_t near; /* the hints of the realm behind it, hosts and NATs alike */
    struct net_nat_table nat;
};
#define NET_NAT_PLACE_HOT (5 * SIM_LINE)

static inline bool net_is_nat(const struct net_place *place)
{
    return place->inner != NET_NOWHERE;
}

/* Between a host and its place. */
struct net_access {
    struct net_link up, down;
    struct net_element up_end, down_end;
    struct net_place *place;
    struct net_turn up_turn, down_turn;
};

/* Where an address leads, with what a datagram on its way there must know of the place: that is
 * far away in memory. */
struct net_slot {
    uint64_t hash;           /* of realm and address */
    struct net_place *place; /* NULL = empty */
    uint64_t luck;           /* its hash */
    uint32_t index;
};

struct net {
    struct sim_world *world;
    const struct net_tap *tap;
    struct sim_pool memory; /* of places and NATs */
    struct net_place **places;
    size_t places_count, places_room;
    uint32_t *gateways; /* realm -> place of its NAT */
    uint64_t (
        *hints)[2]; /* realm -> one bit of 64 per host, per NAT: without it, it is not there */
    size_t realms_count, realms_room;
    struct net_slot *finder; /* open addressing: realm and address -> place */
    size_t finder_count, finder_room;
    struct net_link **links; /* open addressing: pair of places -> link */
    size_t links_count, links_room;
    struct net_name **names; /* open addressing: pair of places -> name of the link */
    size_t names_count, names_room;
    struct net_link common; /* every link that nobody describes; it has no memory */
    bool remembers;         /* links that nobody describes need memory: each becomes its own */
    bool parted;            /* there are, or were, sides */
    struct net *whole;      /* of which this is the view of one thread; NULL = it is all */
    struct net *views;      /* of the whole; NULL = there is one thread */
    uint32_t views_count;
};

void net_init(struct net *net, struct sim_world *world, const struct net_tap *tap,
              const struct net_link_config *link_default);
void net_free(struct net *net);

/* Changes all links that nobody has asked for by net_link_between. */
void net_set_default(struct net *net, const struct net_link_config *config);

/* Both return the new place; its index is its number. name is borrowed. The address must be
 * unique in the realm. NAT number n (from 0) opens realm
 * n + 1. Hosts set ->host afterwards and send by forwarding to ->out. */
struct net_place *net_add_host(struct net *net, const char *name, uint32_t realm,
                               const struct q2p_addr *addr);
struct net_place *net_add_nat(struct net *net, const char *name, uint32_t realm,
                              const struct q2p_addr *outside, const struct net_nat_config *config);

/* One more outside address for a NAT; Q2P_OK or Q2P_ERR_FULL. */
int net_add_outside(struct net_place *nat, const struct q2p_addr *outside);

/* A host gets another address, which must be free; nobody is at the old one then. */
void net_move_host(struct net_place *host, const struct q2p_addr *addr);

/* Puts a public place on a side of a partition. */
void net_set_side(struct net_place *place, uint16_t side, enum net_side_way way);

/* Where a host's or NAT's traffic enters the public network: itself or its outermost NAT. */
uint32_t net_public_place(const struct net *net, uint32_t place);

/* The link from one public place to another; made with the default when first asked for. Packets
 * need it not: ask only to change it. */
struct net_link *net_link_between(struct net *net, uint32_t from, uint32_t to);

/* The access link of a host; made without delay or loss when first asked for. */
struct net_access *net_access_of(struct net_place *host);

/* ---- net_split.c: one network on several threads ----------------------------------------- */

/* Divides the places among `count` threads: of[place] is 0 to count - 1. What has a link without
 * delay, or is behind the same NAT, stays together; so do pairs that are named. Returns how many
 * threads have anything to do. */
uint32_t net_divide(const struct net *net, uint32_t count, uint8_t *of, const uint32_t (*pairs)[2],
                    size_t pairs_count);

/* The least time that a packet takes from a place to one of another thread; 0 = none. */
q2p_time net_ahead(const struct net *net, const uint8_t *of);

/* From now on each place has its thread's view; world and tap of the views are set. Nothing may be
 * under way. net stays what observers ask; the views live as long. */
void net_split(struct net *net, struct net *views, uint32_t count, const uint8_t *of);

/* Whose host is meant by `addr`, as `seen_from` uses it? NET_NOWHERE if nobody's. */
uint32_t net_who(struct net *net, uint32_t seen_from, const struct q2p_addr *addr);

/* True if `from` can address `to` without any NAT in between that hides it. */
bool net_is_open(const struct net *net, uint32_t from, uint32_t to);

/* ---- net_map.c for net_route.c ----------------------------------------------------------- */

/* The host with exactly this address, else the NAT with this IP. */
struct net_place *net_find_place(const struct net *net, uint32_t realm,
                                 const struct q2p_addr *addr);

/* A bit of 64: where it is not set in hints, nobody with this address is there. */
static inline uint64_t net_hint_of(uint64_t ip_hash)
{
    return UINT64_C(1) << (ip_hash >> 58);
}

/* The same with what is known of the place, by net_ip_hash and port; NULL if nobody is there. */
const struct net_slot *net_find_slot(const struct net *net, uint32_t realm, uint64_t ip_hash,
                                     uint16_t port);

/* Somebody with this public address will be looked for soon. */
void net_find_soon(const struct net *net, const struct q2p_addr *addr);

/* Takes over a link that another view has made. */
void net_link_adopt(struct net *net, struct net_link *link);

/* For struct net_link.name_of; ctx is the net. */
const char *net_link_name(void *ctx, const struct sim_packet *packet);

/* The link a packet takes. */
const struct net_link *net_link_for(struct net *net, const struct net_place *from, uint32_t to);

extern const struct net_ops net_leave_ops, net_host_ops, net_nat_ops, net_up_ops, net_down_ops;

#endif
