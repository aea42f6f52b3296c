/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_nat.c - mappings, found by inside endpoint and by outside port, and permissions. Entries
 * whose time is over count as absent and are swept when there is no room.
 */
#include "net_nat.h"

#include <stdlib.h>
#include <string.h>

#include "net_addr.h"
#include "sim_world.h"

struct net_nat_mapping {
    struct q2p_addr inside, remote; /* remote as far as mapping counts it */
    q2p_time last_ns;
    uint32_t next_inside, next_port; /* in their buckets, 1-based */
    uint16_t port;
    uint8_t outside;
    bool replied;
};

/* Who may answer. alien: nobody may; `remote` has come uninvited and occupies the port. */
struct net_nat_permission {
    struct q2p_addr inside, remote; /* remote as far as filtering counts it */
    q2p_time last_ns;
    uint32_t next;
    uint16_t port;
    uint8_t outside;
    bool replied, alien;
};

enum table { BY_INSIDE, BY_PORT, BY_REMOTE };

void net_nat_init(struct net_nat_table *nat, const struct net_nat_config *config, uint64_t seed,
                  const char *stream)
{
    *nat = (struct net_nat_table){.config = *config};
    sim_rng_init(&nat->rng, seed, stream);
}

void net_nat_free(struct net_nat_table *nat)
{
    free(nat->mappings);
    free(nat->permissions);
    free(nat->buckets);
    free(nat->blocks);
    nat->mappings = NULL;
    nat->permissions = NULL;
    nat->buckets = NULL;
    nat->blocks = NULL;
    nat->slots = nat->mappings_count = nat->mappings_room = 0;
    nat->permissions_count = nat->permissions_room = 0;
    nat->blocks_count = nat->blocks_room = 0;
}

void net_nat_forget(struct net_nat_table *nat, bool rebind)
{
    net_nat_free(nat);
    if (rebind && (nat->config.ports == NET_NAT_PRESERVE || nat->config.ports == NET_NAT_PARITY))
        nat->config.ports = NET_NAT_RANDOM;
}

int net_nat_outside(const struct net_nat_table *nat, const struct q2p_addr *addr)
{
    for (uint32_t i = 0; i < nat->outsides_count; i++)
        if (nat->outsides[i].ip_len == addr->ip_len &&
            memcmp(nat->outsides[i].ip, addr->ip, sizeof addr->ip) == 0)
            return (int)i;
    return -1;
}

static bool is_fresh(const struct net_nat_table *nat, q2p_time last_ns, bool replied, q2p_time now)
{
    const struct net_nat_config *config = &nat->config;
    q2p_time limit =
        replied || config->forget_new_ns == 0 ? config->forget_ns : config->forget_new_ns;
    return now - last_ns < limit;
}

/* The part of `remote` that a kind looks at. */
static struct q2p_addr counted(enum net_nat_kind kind, const struct q2p_addr *remote)
{
    struct q2p_addr out = *remote;
    if (kind == NET_NAT_INDEPENDENT)
        return (struct q2p_addr){0};
    if (kind == NET_NAT_ADDRESS)
        out.port = 0;
    return out;
}

/* ---- finding ----------------------------------------------------------------------------- */

static uint32_t *bucket(const struct net_nat_table *nat, enum table table, uint64_t hash)
{
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return &nat->buckets[(uint32_t)table * nat->slots + (uint32_t)((hash >> 32) % nat->slots)];
}

static uint64_t hash_port(uint8_t outside, uint16_t port)
{
    return (uint64_t)outside << 16 | port;
}

static uint64_t hash_mapping(const struct q2p_addr *inside, const struct q2p_addr *remote)
{
    return net_addr_hash(inside) + 3 * net_addr_hash(remote);
}

/* With scope endpoint the inside counts, else the outside does. */
static uint64_t hash_permission(const struct net_nat_table *nat,
                                const struct net_nat_permission *key)
{
    return net_addr_hash(&key->remote) + (nat->config.scope == NET_NAT_SCOPE_MAPPING || key->alien
                                              ? hash_port(key->outside, key->port)
                                              : net_addr_hash(&key->inside));
}

static struct net_nat_mapping *find_mapping(const struct net_nat_table *nat, q2p_time now,
                                            const struct q2p_addr *inside,
                                            const struct q2p_addr *remote)
{
    if (nat->slots == 0)
        return NULL;
    uint32_t at = *bucket(nat, BY_INSIDE, hash_mapping(inside, remote));
    for (struct net_nat_mapping *mapping; at; at = mapping->next_inside) {
        mapping = &nat->mappings[at - 1];
        if (net_addr_same(&mapping->inside, inside) && net_addr_same(&mapping->remote, remote) &&
            is_fresh(nat, mapping->last_ns, mapping->replied, now))
            return mapping;
    }
    return NULL;
}

/* The newest one there; with overloading there may be several. */
static struct net_nat_mapping *find_port(const struct net_nat_table *nat, q2p_time now,
                                         uint8_t outside, uint16_t port)
{
    if (nat->slots == 0)
        return NULL;
    uint32_t at = *bucket(nat, BY_PORT, hash_port(outside, port));
    for (struct net_nat_mapping *mapping; at; at = mapping->next_port) {
        mapping = &nat->mappings[at - 1];
        if (mapping->port == port && mapping->outside == outside &&
            is_fresh(nat, mapping->last_ns, mapping->replied, now))
            return mapping;
    }
    return NULL;
}

static struct net_nat_permission *find_permission(const struct net_nat_table *nat, q2p_time now,
                                                  const struct net_nat_permission *key)
{
    if (nat->slots == 0)
        return NULL;
    bool by_port = nat->config.scope == NET_NAT_SCOPE_MAPPING || key->alien;
    uint32_t at = *bucket(nat, BY_REMOTE, hash_permission(nat, key));
    for (struct net_nat_permission *permission; at; at = permission->next) {
        permission = &nat->permissions[at - 1];
        if (permission->alien == key->alien && net_addr_same(&permission->remote, &key->remote) &&
            (by_port ? permission->port == key->port && permission->outside == key->outside
                     : net_addr_same(&permission->inside, &key->inside)) &&
            is_fresh(nat, permission->last_ns, permission->replied, now))
            return permission;
    }
    return NULL;
}

/* ---- room -------------------------------------------------------------------------------- */

static void link_mapping(struct net_nat_table *nat, uint32_t number)
{
    struct net_nat_mapping *mapping = &nat->mappings[number - 1];
    uint32_t *first = bucket(nat, BY_INSIDE, hash_mapping(&mapping->inside, &mapping->remote));
    mapping->next_inside = *first;
    *first = number;
    first = bucket(nat, BY_PORT, hash_port(mapping->outside, mapping->port));
    mapping->next_port = *first;
    *first = number;
}

static void link_permission(struct net_nat_table *nat, uint32_t number)
{
    struct net_nat_permission *permission = &nat->permissions[number - 1];
    uint32_t *first = bucket(nat, BY_REMOTE, hash_permission(nat, permission));
    permission->next = *first;
    *first = number;
}

static uint32_t room_for(uint32_t alive)
{
    uint32_t room = 4;
    while (room < 2 * alive)
        room *= 2;
    return room;
}

/* Drops the dead, then makes room for twice as many as are alive. */
static void sweep(struct net_nat_table *nat, q2p_time now)
{
    uint32_t mappings = 0, permissions = 0;
    for (uint32_t i = 0; i < nat->mappings_count; i++)
        if (is_fresh(nat, nat->mappings[i].last_ns, nat->mappings[i].replied, now))
            nat->mappings[mappings++] = nat->mappings[i];
    for (uint32_t i = 0; i < nat->permissions_count; i++)
        if (is_fresh(nat, nat->permissions[i].last_ns, nat->permissions[i].replied, now))
            nat->permissions[permissions++] = nat->permissions[i];
    size_t mappings_room = room_for(mappings + 1), permissions_room = room_for(permissions + 1);
    nat->slots = (uint32_t)(mappings_room > permissions_room ? mappings_room : permissions_room);
    nat->mappings = sim_resize(nat->mappings, mappings_room * sizeof *nat->mappings);
    nat->permissions = sim_resize(nat->permissions, permissions_room * sizeof *nat->permissions);
    free(nat->buckets);
    nat->buckets = sim_alloc(3 * (size_t)nat->slots * sizeof *nat->buckets);
    nat->mappings_room = (uint32_t)mappings_room;
    nat->permissions_room = (uint32_t)permissions_room;
    nat->mappings_count = mappings;
    nat->permissions_count = permissions;
    for (uint32_t i = 1; i <= mappings; i++)
        link_mapping(nat, i);
    for (uint32_t i = 1; i <= permissions; i++)
        link_permission(nat, i);
}

static void make_room(struct net_nat_table *nat, q2p_time now)
{
    if (nat->mappings_count == nat->mappings_room ||
        nat->permissions_count == nat->permissions_room)
        sweep(nat, now);
}

/* ---- packets ----------------------------------------------------------------------------- */

static struct net_nat_permission permission_key(const struct net_nat_table *nat, uint8_t outside,
                                                uint16_t port, const struct q2p_addr *remote)
{
    return (struct net_nat_permission){
        .outside = outside, .port = port, .remote = counted(nat->config.filtering, remote)};
}

static bool is_alien(const struct net_nat_table *nat, q2p_time now, uint8_t outside, uint16_t port,
                     const struct q2p_addr *remote)
{
    struct net_nat_permission key = {
        .outside = outside, .port = port, .remote = *remote, .alien = true};
    return nat->config.clash && find_permission(nat, now, &key);
}

bool net_nat_is_free(const struct net_nat_table *nat, const struct net_nat_want *want,
                     uint16_t port)
{
    if (is_alien(nat, want->now, want->outside, port, want->to))
        return false;
    if (!nat->config.overload)
        return !find_port(nat, want->now, want->outside, port);
    struct net_nat_permission key = permission_key(nat, want->outside, port, want->to);
    const struct net_nat_permission *other = find_permission(nat, want->now, &key);
    return !other || net_addr_same(&other->inside, want->inside);
}

/* How many mappings the host of this endpoint has. */
static uint32_t count_mappings(const struct net_nat_table *nat, q2p_time now,
                               const struct q2p_addr *inside)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < nat->mappings_count; i++) {
        const struct net_nat_mapping *mapping = &nat->mappings[i];
        count += memcmp(mapping->inside.ip, inside->ip, sizeof inside->ip) == 0 &&
                 is_fresh(nat, mapping->last_ns, mapping->replied, now);
    }
    return count;
}

static int add_mapping(struct net_nat_table *nat, struct net_nat_want *want,
                       const struct q2p_addr *remote, struct net_nat_mapping **out)
{
    uint32_t quota = nat->config.quota;
    if (quota > 0 && count_mappings(nat, want->now, want->inside) >= quota)
        return Q2P_ERR_BUSY;
    int status = net_nat_choose(nat, want);
    if (status < 0)
        return status;
    nat->mappings[nat->mappings_count++] = (struct net_nat_mapping){.inside = *want->inside,
                                                                    .remote = *remote,
                                                                    .last_ns = want->now,
                                                                    .port = want->port,
                                                                    .outside = want->outside};
    link_mapping(nat, nat->mappings_count);
    *out = &nat->mappings[nat->mappings_count - 1];
    return Q2P_OK;
}

/* The mapping for a packet out. One whose port is taken towards `to` cannot be used: then this
 * remote gets one of its own. */
static int get_mapping(struct net_nat_table *nat, struct net_nat_want *want,
                       struct net_nat_mapping **out)
{
    struct q2p_addr remote = counted(nat->config.mapping, want->to);
    *out = NULL;
    if (nat->config.clash && nat->config.mapping != NET_NAT_PORT)
        *out = find_mapping(nat, want->now, want->inside, want->to);
    if (!*out)
        *out = find_mapping(nat, want->now, want->inside, &remote);
    if (*out && is_alien(nat, want->now, (*out)->outside, (*out)->port, want->to)) {
        remote = *want->to;
        want->elsewhere = true;
        *out = NULL;
    }
    return *out ? Q2P_OK : add_mapping(nat, want, &remote, out);
}

int net_nat_out(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *inside,
                const struct q2p_addr *to, struct q2p_addr *outside)
{
    struct net_nat_want want = {.now = now, .inside = inside, .to = to};
    struct net_nat_mapping *mapping;
    make_room(nat, now);
    int status = get_mapping(nat, &want, &mapping);
    if (status < 0)
        return status;
    if (nat->config.refresh != NET_NAT_REFRESH_IN)
        mapping->last_ns = now;
    *outside = nat->outsides[mapping->outside];
    outside->port = mapping->port;

    struct net_nat_permission key = permission_key(nat, mapping->outside, mapping->port, to);
    key.inside = *inside;
    key.last_ns = now;
    struct net_nat_permission *permission = find_permission(nat, now, &key);
    if (!permission) {
        nat->permissions[nat->permissions_count++] = key;
        link_permission(nat, nat->permissions_count);
    } else if (nat->config.refresh != NET_NAT_REFRESH_IN) {
        permission->last_ns = now;
    }
    return Q2P_OK;
}

/* An uninvited packet has an entry of its own, as conntrack makes one for what it takes for the
 * NAT's own traffic. */
static void add_alien(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *to,
                      const struct q2p_addr *from)
{
    struct net_nat_permission key = {.outside = (uint8_t)net_nat_outside(nat, to),
                                     .port = to->port,
                                     .remote = *from,
                                     .last_ns = now,
                                     .alien = true};
    make_room(nat, now);
    struct net_nat_permission *alien = find_permission(nat, now, &key);
    if (alien) {
        alien->last_ns = now;
        return;
    }
    nat->permissions[nat->permissions_count++] = key;
    link_permission(nat, nat->permissions_count);
}

int net_nat_in(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *to,
               const struct q2p_addr *from, struct q2p_addr *inside)
{
    uint8_t outside = (uint8_t)net_nat_outside(nat, to);
    struct net_nat_mapping *mapping = find_port(nat, now, outside, to->port);
    struct net_nat_permission key = permission_key(nat, outside, to->port, from);
    struct net_nat_permission *permission = NULL;
    if (mapping) {
        key.inside = *inside = mapping->inside;
        permission = find_permission(nat, now, &key);
    }
    if (!permission) {
        if (nat->config.clash)
            add_alien(nat, now, to, from);
        return mapping ? Q2P_ERR_ADDRESS : Q2P_ERR_ABSENT;
    }
    if (nat->config.overload) { /* the port has several owners: this remote's is meant */
        struct q2p_addr remote = counted(nat->config.mapping, from);
        struct net_nat_mapping *owner = find_mapping(nat, now, &permission->inside, &remote);
        *inside = permission->inside;
        mapping = owner ? owner : mapping;
    }
    permission->replied = mapping->replied = true;
    if (nat->config.refresh != NET_NAT_REFRESH_OUT)
        permission->last_ns = mapping->last_ns = now;
    return Q2P_OK;
}

int net_nat_owner(const struct net_nat_table *nat, q2p_time now, const struct q2p_addr *to,
                  const struct q2p_addr *from, struct q2p_addr *inside)
{
    uint8_t outside = (uint8_t)net_nat_outside(nat, to);
    const struct net_nat_mapping *mapping = find_port(nat, now, outside, to->port);
    if (!mapping)
        return Q2P_ERR_ABSENT;
    *inside = mapping->inside;
    if (nat->config.overload && from) {
        struct net_nat_permission key = permission_key(nat, outside, to->port, from);
        const struct net_nat_permission *permission = find_permission(nat, now, &key);
        if (permission)
            *inside = permission->inside;
    }
    return Q2P_OK;
}
