/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_nat.c - mappings, found by inside endpoint and by outside port, and permissions. Both are
 * small, because a big world touches other ones with every datagram: what has only to be
 * recognised is kept as a hash of 64 bits. Entries whose time is over count as absent and are
 * swept when there is no room.
 */
#include <stdlib.h>
#include <string.h>

#include "net_nat_table.h"
#include "sim_world.h"

void net_nat_init(struct net_nat_table *nat, const struct net_nat_config *config, uint64_t seed,
                  const char *stream)
{
    *nat = (struct net_nat_table){.config = *config};
    sim_rng_init(&nat->rng, seed, stream);
}

/* Of mappings and permissions; zeroed. */
static void *take(struct net_nat_table *nat, size_t len)
{
    return nat->pool ? sim_pool_take(nat->pool, len) : sim_alloc(len);
}

static void give(struct net_nat_table *nat, void *thing, size_t len)
{
    if (nat->pool)
        sim_pool_give(nat->pool, thing, len);
    else
        free(thing);
}

/* The first one needs nothing beside the table. */
static struct net_nat_mapping *take_mappings(struct net_nat_table *nat, uint32_t room)
{
    return room == 1 ? &nat->only : take(nat, room * sizeof *nat->mappings);
}

static void give_mappings(struct net_nat_table *nat, struct net_nat_mapping *all, uint32_t room)
{
    if (all != &nat->only)
        give(nat, all, room * sizeof *all);
}

void net_nat_free(struct net_nat_table *nat)
{
    net_nat_history_reset(nat);
    give_mappings(nat, nat->mappings, nat->mappings_room);
    give(nat, nat->permissions, nat->permissions_room * sizeof *nat->permissions);
    free(nat->owners);
    free(nat->buckets);
    free(nat->blocks);
    nat->mappings = NULL;
    nat->permissions = NULL;
    nat->owners = NULL;
    nat->buckets = NULL;
    nat->blocks = NULL;
    nat->mappings_count = nat->mappings_room = 0;
    nat->plain = false;
    nat->permissions_count = nat->permissions_room = 0;
    nat->blocks_count = nat->blocks_room = 0;
}

void net_nat_forget(struct net_nat_table *nat, bool rebind)
{
    net_nat_free(nat);
    if (rebind && (nat->config.ports == NET_NAT_PRESERVE || nat->config.ports == NET_NAT_PARITY))
        nat->config.ports = NET_NAT_RANDOM;
}

/* ---- finding ----------------------------------------------------------------------------- */

static uint32_t *bucket(const struct net_nat_table *nat, bool by_port, uint64_t key)
{
    return &nat->buckets[(by_port ? nat->mappings_room : 0) +
                         (uint32_t)(key >> 32) % nat->mappings_room];
}

/* The mapping after this one in its bucket; 1-based, as all numbers of mappings there. */
static uint32_t *next_of(const struct net_nat_table *nat, bool by_port, uint32_t number)
{
    return &nat->buckets[(by_port ? 3 : 2) * (size_t)nat->mappings_room + number - 1];
}

static struct net_nat_mapping *find_mapping(const struct net_nat_table *nat, q2p_time now,
                                            uint64_t key)
{
    bool few = nat->mappings_room <= FEW;
    uint32_t at = few ? nat->mappings_count : *bucket(nat, false, key);
    while (at) {
        struct net_nat_mapping *mapping = &nat->mappings[at - 1];
        if (mapping->key == key && is_fresh(nat, mapping->last_ns, mapping->state & REPLIED, now))
            return mapping;
        at = few ? at - 1 : *next_of(nat, false, at);
    }
    return NULL;
}

/* The newest one there, of those up to a number; with overloading there may be several. */
static inline struct net_nat_mapping *find_port_of(const struct net_nat_table *nat,
                                                   const struct net_nat_asked *asked,
                                                   uint8_t outside, uint16_t port)
{
    bool few = nat->mappings_room <= FEW;
    uint32_t at = few ? nat->mappings_count : *bucket(nat, true, port_key(outside, port));
    while (at) {
        struct net_nat_mapping *mapping = &nat->mappings[at - 1];
        if (mapping->port == port && mapping->outside == outside && at <= asked->newest &&
            is_fresh(nat, mapping->last_ns, mapping->state & REPLIED, asked->at))
            return mapping;
        at = few ? at - 1 : *next_of(nat, true, at);
    }
    return NULL;
}

static inline struct net_nat_mapping *find_port(const struct net_nat_table *nat, q2p_time now,
                                                uint8_t outside, uint16_t port)
{
    const struct net_nat_asked asked = net_nat_asked_now(now);
    return find_port_of(nat, &asked, outside, port);
}

/* Whose it is, as a hash; known with overloading only. */
static uint64_t *owner_of(const struct net_nat_table *nat,
                          const struct net_nat_permission *permission)
{
    return &nat->owners[permission - nat->permissions];
}

/* ---- room -------------------------------------------------------------------------------- */

static void link_mapping(struct net_nat_table *nat, uint32_t number)
{
    const struct net_nat_mapping *mapping = &nat->mappings[number - 1];
    uint32_t *first = bucket(nat, false, mapping->key);
    *next_of(nat, false, number) = *first;
    *first = number;
    first = bucket(nat, true, port_key(mapping->outside, mapping->port));
    *next_of(nat, true, number) = *first;
    *first = number;
}

static uint32_t room_for(uint32_t alive)
{
    uint32_t room = 1;
    while (room < (alive <= FEW ? alive : 2 * alive))
        room *= 2;
    return room;
}

/* What is dead is dropped then; later, if somebody may still ask for it. */
static q2p_time last_wanted(const struct net_nat_table *nat, q2p_time now)
{
    return nat->history ? now - nat->history->hold_ns : now;
}

/* Drops the dead, and how many of those told are left is noted. */
static uint32_t drop_dead(struct net_nat_table *nat, q2p_time wanted)
{
    struct net_nat_mapping *all = nat->mappings;
    uint32_t count = 0, told = 0;
    for (uint32_t i = 0; i < nat->mappings_count; i++) {
        if (!is_fresh(nat, all[i].last_ns, all[i].state & REPLIED, wanted))
            continue;
        told += nat->history && i < nat->history->mappings;
        all[count++] = all[i];
    }
    if (nat->history)
        nat->history->mappings = told;
    return count;
}

/* Drops the dead, then makes room for more than are alive. */
static void sweep_mappings(struct net_nat_table *nat, q2p_time now)
{
    struct net_nat_mapping *old = nat->mappings;
    uint32_t old_room = nat->mappings_room, count = drop_dead(nat, last_wanted(nat, now));
    nat->mappings_count = count;
    nat->mappings_room = room_for(count + 1);
    if (nat->mappings_room != old_room) {
        nat->mappings = take_mappings(nat, nat->mappings_room);
        if (count > 0)
            memcpy(nat->mappings, old, count * sizeof *nat->mappings);
        give_mappings(nat, old, old_room);
    }
    free(nat->buckets);
    nat->buckets = NULL;
    if (nat->mappings_room <= FEW)
        return;
    nat->buckets = sim_alloc(4 * (size_t)nat->mappings_room * sizeof *nat->buckets);
    for (uint32_t i = 1; i <= count; i++)
        link_mapping(nat, i);
}

static void sweep_permissions(struct net_nat_table *nat, q2p_time now)
{
    struct net_nat_permission *old = nat->permissions;
    uint64_t *old_owners = nat->owners;
    uint32_t room = nat->permissions_room, alive = 0;
    for (uint32_t i = 0; i < room; i++)
        alive += is_open(nat, &old[i], now);
    nat->permissions_room = 8;
    while (nat->permissions_room < 2 * (alive + 1))
        nat->permissions_room *= 2;
    nat->permissions = take(nat, nat->permissions_room * sizeof *nat->permissions);
    nat->owners =
        nat->config.overload ? sim_alloc(nat->permissions_room * sizeof *nat->owners) : NULL;
    nat->permissions_count = alive;
    for (uint32_t i = 0; i < room; i++) {
        if (!is_open(nat, &old[i], now))
            continue;
        struct net_nat_permission *slot = find_slot(nat, old[i].key);
        *slot = old[i];
        if (nat->owners)
            *owner_of(nat, slot) = old_owners[i];
    }
    give(nat, old, room * sizeof *old);
    free(old_owners);
}

static void add_permission(struct net_nat_table *nat, q2p_time now, uint64_t key, uint64_t inside)
{
    if (3 * nat->permissions_count >= 2 * nat->permissions_room)
        sweep_permissions(nat, last_wanted(nat, now));
    if (nat->history && nat->owners)
        net_nat_history_add(nat, key);
    struct net_nat_permission *permission = find_slot(nat, key);
    nat->permissions_count += permission->key == 0;
    *permission = (struct net_nat_permission){key, 2 * (uint64_t)now};
    if (nat->owners)
        *owner_of(nat, permission) = inside;
}

/* ---- packets ----------------------------------------------------------------------------- */

static bool is_alien(const struct net_nat_table *nat, q2p_time now, uint8_t outside, uint16_t port,
                     const struct q2p_addr *remote)
{
    return nat->config.clash &&
           find_permission(nat, now, alien_key(port_key(outside, port), remote));
}

bool net_nat_is_free(const struct net_nat_table *nat, const struct net_nat_want *want,
                     uint16_t port)
{
    if (is_alien(nat, want->now, want->outside, port, want->to))
        return false;
    if (!nat->config.overload)
        return !find_port(nat, want->now, want->outside, port);
    uint64_t key = permission_key(nat, 0, port_key(want->outside, port), want->to);
    const struct net_nat_permission *other = find_permission(nat, want->now, key);
    return !other || *owner_of(nat, other) == net_addr_hash(want->inside);
}

/* How many mappings the host of this endpoint has. */
static uint32_t count_mappings(const struct net_nat_table *nat, q2p_time now,
                               const struct q2p_addr *inside)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < nat->mappings_count; i++) {
        const struct net_nat_mapping *mapping = &nat->mappings[i];
        count += memcmp(mapping->inside.ip, inside->ip, sizeof inside->ip) == 0 &&
                 is_fresh(nat, mapping->last_ns, mapping->state & REPLIED, now);
    }
    return count;
}

static int add_mapping(struct net_nat_table *nat, struct net_nat_want *want, uint64_t key,
                       struct net_nat_mapping **out)
{
    uint32_t quota = nat->config.quota, first_draw = nat->draws;
    if (quota > 0 && count_mappings(nat, want->now, want->inside) >= quota)
        return Q2P_ERR_BUSY;
    int status = net_nat_choose(nat, want);
    if (status < 0)
        return status;
    if (nat->mappings_count == nat->mappings_room)
        sweep_mappings(nat, want->now);
    nat->mappings[nat->mappings_count++] =
        (struct net_nat_mapping){.inside = *want->inside,
                                 .key = key,
                                 .last_ns = want->now,
                                 .port = want->port,
                                 .outside = want->outside,
                                 .state = (uint8_t)(2 * nat->errors)};
    if (nat->buckets)
        link_mapping(nat, nat->mappings_count);
    *out = &nat->mappings[nat->mappings_count - 1];
    nat->made = true;
    if (nat->watch) {
        struct net_nat_made made = {want->inside, want->to, nat->outsides[want->outside],
                                    first_draw, nat->draws};
        made.outside.port = want->port;
        nat->watch->made(nat->ctx, &made);
    }
    return Q2P_OK;
}

/* The next datagram will use it, too, as a rule. */
static void note_used(struct net_nat_table *nat, const struct net_nat_mapping *mapping)
{
    nat->used = (uint32_t)(mapping - nat->mappings);
    nat->plain = is_plain(&nat->config);
}

/* The mapping for a packet out. One whose port is taken towards `to` cannot be used: then this
 * remote gets one of its own. */
static int get_mapping(struct net_nat_table *nat, struct net_nat_want *want, uint64_t inside,
                       struct net_nat_mapping **out)
{
    uint64_t key = mapping_key(inside, hash_counted(nat->config.mapping, want->to));
    uint64_t own = nat->config.clash ? mapping_key(inside, net_addr_hash(want->to)) : key;
    *out = find_mapping(nat, want->now, own);
    if (!*out && own != key)
        *out = find_mapping(nat, want->now, key);
    if (*out && is_alien(nat, want->now, (*out)->outside, (*out)->port, want->to)) {
        key = own;
        want->elsewhere = true;
        *out = NULL;
    }
    return *out ? Q2P_OK : add_mapping(nat, want, key, out);
}

int net_nat_out_slowly(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *inside,
                       const struct q2p_addr *to, struct q2p_addr *outside)
{
    struct net_nat_want want = {.now = now, .inside = inside, .to = to};
    struct net_nat_mapping *mapping;
    uint64_t owner = net_addr_hash(inside);
    int status = get_mapping(nat, &want, owner, &mapping);
    if (status < 0)
        return status;
    if (nat->config.refresh != NET_NAT_REFRESH_IN)
        mapping->last_ns = now;
    note_used(nat, mapping);
    *outside = nat->outsides[mapping->outside];
    outside->port = mapping->port;

    uint64_t key = right_key(nat, mapping, owner, to);
    struct net_nat_permission *permission = find_permission(nat, now, key);
    if (!permission || (nat->config.overload && *owner_of(nat, permission) != owner))
        add_permission(nat, now, key, owner);
    else if (nat->config.refresh != NET_NAT_REFRESH_IN)
        permission->refresh = 2 * (uint64_t)now | (permission->refresh & 1);
    return Q2P_OK;
}

/* An uninvited packet has an entry of its own, as conntrack makes one for what it takes for the
 * NAT's own traffic. */
static void add_alien(struct net_nat_table *nat, q2p_time now, uint64_t port,
                      const struct q2p_addr *from)
{
    add_permission(nat, now, alien_key(port, from), 0);
}

/* With overloading a port has several owners: which mapping is this remote's? */
static struct net_nat_mapping *find_owner(const struct net_nat_table *nat,
                                          const struct net_nat_asked *asked, uint8_t outside,
                                          uint16_t port, uint64_t inside)
{
    for (uint32_t i = nat->mappings_count; i > 0; i--) {
        struct net_nat_mapping *mapping = &nat->mappings[i - 1];
        if (mapping->port == port && mapping->outside == outside && i <= asked->newest &&
            net_addr_hash(&mapping->inside) == inside &&
            is_fresh(nat, mapping->last_ns, mapping->state & REPLIED, asked->at))
            return mapping;
    }
    return NULL;
}

int net_nat_in_slowly(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *to,
                      const struct q2p_addr *from, struct q2p_addr *inside)
{
    uint8_t outside = (uint8_t)net_nat_outside(nat, to);
    uint64_t port = port_key(outside, to->port);
    struct net_nat_mapping *mapping = find_port(nat, now, outside, to->port);
    struct net_nat_permission *permission = NULL;
    if (mapping) {
        *inside = mapping->inside;
        note_used(nat, mapping);
        uint64_t owner = net_addr_hash(inside);
        permission = find_permission(nat, now, right_key(nat, mapping, owner, from));
        if (permission && nat->config.overload && *owner_of(nat, permission) != owner) {
            const struct net_nat_asked asked = net_nat_asked_now(now);
            mapping = find_owner(nat, &asked, outside, to->port, *owner_of(nat, permission));
            permission = mapping ? permission : NULL;
        }
    }
    if (!permission) {
        if (nat->config.clash)
            add_alien(nat, now, port, from);
        return mapping ? Q2P_ERR_ADDRESS : Q2P_ERR_ABSENT;
    }
    *inside = mapping->inside;
    note_used(nat, mapping);
    struct net_nat_mapping *exact = mapping;
    if (nat->config.overload) { /* each remote has a mapping of its own at the same port */
        uint64_t remote = hash_counted(nat->config.mapping, from);
        exact = find_mapping(nat, now, mapping_key(net_addr_hash(inside), remote));
        exact = exact ? exact : mapping;
    }
    use_in(nat, now, exact, permission);
    return Q2P_OK;
}

/* Whose shared port is it, with this key? 0 = nobody's. */
static uint64_t owner_then(const struct net_nat_table *nat, const struct net_nat_asked *asked,
                           uint64_t key)
{
    const struct net_nat_history *past = asked->past;
    for (size_t i = past ? past->told : 0; past && i < past->count; i++)
        if (past->past[i].key == key)
            return is_open(nat, &past->past[i].permission, asked->at) ? past->past[i].owner : 0;
    const struct net_nat_permission *permission = find_permission(nat, asked->at, key);
    return permission ? *owner_of(nat, permission) : 0;
}

/* The mapping that a remote means by an outside endpoint. */
struct net_nat_mapping *net_nat_find_meant(const struct net_nat_table *nat,
                                           const struct net_nat_asked *asked,
                                           const struct q2p_addr *to, const struct q2p_addr *from)
{
    uint8_t outside = (uint8_t)net_nat_outside(nat, to);
    uint64_t port = port_key(outside, to->port);
    struct net_nat_mapping *mapping = find_port_of(nat, asked, outside, to->port), *meant = NULL;
    if (mapping && nat->config.overload && from) {
        uint64_t owner = owner_then(nat, asked, permission_key(nat, 0, port, from));
        if (owner)
            meant = find_owner(nat, asked, outside, to->port, owner);
    }
    return meant ? meant : mapping;
}
