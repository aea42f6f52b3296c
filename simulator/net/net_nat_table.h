/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_nat_table.h - for net_nat.c: its entries, how long they hold, and their keys. */
#ifndef NET_NAT_TABLE_H
#define NET_NAT_TABLE_H

#include "net_nat.h"

/* The state of a mapping: this, and twice the ICMP errors so far when it was made: rights from
 * before are not its own. */
#define REPLIED 1
#define FEW 4 /* room for mappings that are looked through one by one, without buckets */

/* Who may answer; or, as an alien, nobody: this remote has come uninvited and occupies the port. */
struct net_nat_permission {
    uint64_t key;     /* of the remote as far as filtering counts it, and of one of our sides;
                         0 = free */
    uint64_t refresh; /* twice the time of the last one, plus 1 if anybody has answered */
};

/* What has been there before, of what is not told yet. */
struct net_nat_past {
    struct net_nat_permission permission; /* key 0 = there was none */
    uint64_t key, owner;
};

struct net_nat_history {
    uint32_t mappings;         /* told, in the order of the table */
    q2p_time hold_ns;          /* what has ended stays that long */
    struct net_nat_past *past; /* of shared ports, in order, from told on */
    size_t count, room, told;
};

/* Nothing is told of yet, nor has anything been. */
void net_nat_history_reset(struct net_nat_table *nat);

/* A permission is about to be given with this key. */
void net_nat_history_add(struct net_nat_table *nat, uint64_t key);

/* net_nat.c for net_nat_history.c: of mappings up to number `newest`, and permissions as they are,
 * or as `past` says. */
struct net_nat_asked {
    q2p_time at;
    uint32_t newest;
    const struct net_nat_history *past; /* NULL = as they are */
};
static inline struct net_nat_asked net_nat_asked_now(q2p_time now)
{
    return (struct net_nat_asked){now, UINT32_MAX, NULL};
}

struct net_nat_mapping *net_nat_find_meant(const struct net_nat_table *nat,
                                           const struct net_nat_asked *asked,
                                           const struct q2p_addr *to, const struct q2p_addr *from);

static inline bool is_fresh(const struct net_nat_table *nat, q2p_time last_ns, bool replied,
                            q2p_time now)
{
    const struct net_nat_config *config = &nat->config;
    q2p_time limit =
        replied || config->forget_new_ns == 0 ? config->forget_ns : config->forget_new_ns;
    return now - last_ns < limit;
}

static inline bool is_open(const struct net_nat_table *nat,
                           const struct net_nat_permission *permission, q2p_time now)
{
    return permission->key != 0 &&
           is_fresh(nat, (q2p_time)(permission->refresh >> 1), permission->refresh & 1, now);
}

/* Of the part of a remote that a kind looks at. */
static inline uint64_t hash_counted(enum net_nat_kind kind, const struct q2p_addr *remote)
{
    if (kind == NET_NAT_INDEPENDENT)
        return 0;
    return kind == NET_NAT_ADDRESS ? net_ip_hash(remote) : net_addr_blend(remote);
}

static inline uint64_t port_key(uint8_t outside, uint16_t port)
{
    return (UINT64_C(1) << 32 | (uint64_t)outside << 16 | port) * UINT64_C(0x9fb21c651e98df25);
}

/* Of two hashes. */
static inline uint64_t join(uint64_t a, uint64_t b)
{
    uint64_t z = (a + (b << 23 | b >> 41)) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ z >> 32;
}

static inline uint64_t mapping_key(uint64_t inside, uint64_t remote)
{
    return join(inside, remote);
}

/* Of a remote's right at what belongs to `base`. */
static inline uint64_t remote_key(const struct net_nat_table *nat, uint64_t base,
                                  const struct q2p_addr *remote)
{
    return join(base, hash_counted(nat->config.filtering, remote)) | 1;
}

/* With scope endpoint the inside counts, else the outside does. */
static inline uint64_t permission_key(const struct net_nat_table *nat, uint64_t inside,
                                      uint64_t port, const struct q2p_addr *remote)
{
    return remote_key(nat, nat->config.scope == NET_NAT_SCOPE_MAPPING ? port : inside, remote);
}

static inline uint64_t errors_before(const struct net_nat_mapping *mapping)
{
    return mapping->state & ~(uint64_t)REPLIED;
}

/* Of the right of a remote where the outside port decides, and has one mapping. */
static inline uint64_t plain_key(const struct net_nat_table *nat,
                                 const struct net_nat_mapping *mapping,
                                 const struct q2p_addr *remote)
{
    uint32_t base =
        mapping->port | (uint32_t)mapping->outside << 16 | (uint32_t)mapping->state << 24;
    return remote_key(nat, base & ~((uint32_t)REPLIED << 24), remote);
}

/* With overloading a port has several mappings, and rights belong to it. */
static inline uint64_t right_key(const struct net_nat_table *nat,
                                 const struct net_nat_mapping *mapping, uint64_t inside,
                                 const struct q2p_addr *remote)
{
    if (nat->config.overload)
        return permission_key(nat, inside, port_key(mapping->outside, mapping->port), remote);
    if (nat->config.scope == NET_NAT_SCOPE_MAPPING)
        return plain_key(nat, mapping, remote);
    return remote_key(nat, inside, remote) + errors_before(mapping);
}

static inline bool is_plain(const struct net_nat_config *config)
{
    return config->mapping == NET_NAT_INDEPENDENT && config->scope == NET_NAT_SCOPE_MAPPING &&
           !config->overload && !config->clash;
}

static inline uint64_t alien_key(uint64_t port, const struct q2p_addr *remote)
{
    return join(~port, net_addr_hash(remote)) | 1;
}

/* The place of a key among the permissions, or the free one where it would be. */
static inline struct net_nat_permission *find_slot(const struct net_nat_table *nat, uint64_t key)
{
    uint32_t at = (uint32_t)(key >> 32);
    for (;; at++) {
        struct net_nat_permission *permission = &nat->permissions[at & (nat->permissions_room - 1)];
        if (permission->key == key || permission->key == 0)
            return permission;
    }
}

static inline struct net_nat_permission *find_permission(const struct net_nat_table *nat,
                                                         q2p_time now, uint64_t key)
{
    if (nat->permissions_room == 0)
        return NULL;
    struct net_nat_permission *permission = find_slot(nat, key);
    return is_open(nat, permission, now) ? permission : NULL;
}

/* A packet in, of who may. */
static inline void use_in(const struct net_nat_table *nat, q2p_time now,
                          struct net_nat_mapping *mapping, struct net_nat_permission *permission)
{
    permission->refresh |= 1;
    mapping->state |= REPLIED;
    if (nat->config.refresh != NET_NAT_REFRESH_OUT) {
        permission->refresh = 2 * (uint64_t)now | 1;
        mapping->last_ns = now;
    }
}

/* net_nat.c for net_nat_pass.c: net_nat_out and net_nat_in for whatever may be. */
int net_nat_out_slowly(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *inside,
                       const struct q2p_addr *to, struct q2p_addr *outside);
int net_nat_in_slowly(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *to,
                      const struct q2p_addr *from, struct q2p_addr *inside);

#endif
