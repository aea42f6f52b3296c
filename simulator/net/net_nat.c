/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_nat.c - one hash table holds three kinds of entries: mappings by inside endpoint, the same
 * mappings by outside port, and permissions. Entries whose time is over count as absent and are
 * swept when the table is full.
 */
#include "net_nat.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim_world.h"

#define PORT_FIRST 1024u
#define PORT_COUNT (65536u - PORT_FIRST)

enum entry_kind {
    BY_INSIDE,  /* a = inside endpoint, b = remote as far as mapping counts it */
    BY_PORT,    /* port = outside port; a = inside endpoint */
    PERMISSION, /* a = inside endpoint (scope endpoint), port (scope mapping), b = remote */
};

struct net_nat_entry {
    enum entry_kind kind;
    uint16_t port;
    struct q2p_addr a, b;
    q2p_time last_ns;
    uint32_t twin; /* BY_INSIDE: its BY_PORT entry */
    uint32_t next; /* in the bucket, 1-based */
};

void net_nat_init(struct net_nat_table *nat, const struct net_nat_config *config, uint64_t seed,
                  const char *stream)
{
    *nat = (struct net_nat_table){.config = *config};
    sim_rng_init(&nat->rng, seed, stream);
    nat->port_last = (uint16_t)(PORT_FIRST + sim_rng_below(&nat->rng, PORT_COUNT));
}

void net_nat_free(struct net_nat_table *nat)
{
    free(nat->entries);
    free(nat->buckets);
    nat->entries = NULL;
    nat->buckets = NULL;
    nat->count = nat->room = 0;
}

void net_nat_forget(struct net_nat_table *nat)
{
    net_nat_free(nat);
    if (nat->config.ports == NET_NAT_PRESERVE)
        nat->config.ports = NET_NAT_RANDOM;
}

static bool is_alive(const struct net_nat_table *nat, const struct net_nat_entry *entry,
                     q2p_time now)
{
    return now - entry->last_ns < nat->config.forget_ns;
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

static uint32_t *bucket_of(const struct net_nat_table *nat, const struct net_nat_entry *key)
{
    uint64_t hash = sim_mix((uint64_t)key->kind, key->port);
    if (key->kind != BY_PORT) {
        hash = sim_mix_bytes(hash, &key->a, sizeof key->a);
        hash = sim_mix_bytes(hash, &key->b, sizeof key->b);
    }
    return &nat->buckets[hash % (2 * (uint64_t)nat->room)];
}

static struct net_nat_entry *find(const struct net_nat_table *nat, const struct net_nat_entry *key,
                                  q2p_time now)
{
    if (nat->room == 0)
        return NULL;
    for (uint32_t at = *bucket_of(nat, key); at; at = nat->entries[at - 1].next) {
        struct net_nat_entry *entry = &nat->entries[at - 1];
        if (entry->kind == key->kind && entry->port == key->port && is_alive(nat, entry, now) &&
            (key->kind == BY_PORT ||
             (q2p_addr_equal(&entry->a, &key->a) && q2p_addr_equal(&entry->b, &key->b))))
            return entry;
    }
    return NULL;
}

static uint32_t insert(struct net_nat_table *nat, const struct net_nat_entry *entry)
{
    assert(nat->count < nat->room);
    uint32_t *bucket = bucket_of(nat, entry);
    nat->entries[nat->count] = *entry;
    nat->entries[nat->count].next = *bucket;
    return *bucket = ++nat->count;
}

/* Makes room for the three entries that one packet can add: drops the dead, then grows. */
static void make_room(struct net_nat_table *nat, q2p_time now)
{
    if (nat->count + 3 <= nat->room)
        return;
    struct net_nat_entry *old = nat->entries;
    uint32_t count = nat->count, alive = 0;
    for (uint32_t i = 0; i < count; i++)
        alive += is_alive(nat, &old[i], now);
    free(nat->buckets);
    nat->room = alive < 16 ? 32 : 2 * alive;
    nat->count = 0;
    nat->entries = sim_alloc(nat->room * sizeof *nat->entries);
    nat->buckets = sim_alloc(2 * (size_t)nat->room * sizeof *nat->buckets);
    for (uint32_t i = 0; i < count; i++) {
        if (old[i].kind == BY_INSIDE && is_alive(nat, &old[i], now)) {
            uint32_t twin = insert(nat, &old[old[i].twin - 1]);
            uint32_t self = insert(nat, &old[i]);
            nat->entries[self - 1].twin = twin;
        } else if (old[i].kind == PERMISSION && is_alive(nat, &old[i], now)) {
            insert(nat, &old[i]);
        }
    }
    free(old);
}

static bool is_free(const struct net_nat_table *nat, uint16_t port, q2p_time now)
{
    return !find(nat, &(struct net_nat_entry){.kind = BY_PORT, .port = port}, now);
}

/* RFC 4787 4.2.1 without overloading: a port never has two mappings. 0 = none is free. */
static uint16_t choose_port(struct net_nat_table *nat, q2p_time now, uint16_t wanted)
{
    if (nat->config.ports == NET_NAT_PRESERVE && is_free(nat, wanted, now))
        return wanted;
    uint32_t at = nat->config.ports == NET_NAT_SEQUENTIAL
                      ? nat->port_last + 1u - PORT_FIRST
                      : (uint32_t)sim_rng_below(&nat->rng, PORT_COUNT);
    for (uint32_t i = 0; i < PORT_COUNT; i++) {
        uint16_t port = (uint16_t)(PORT_FIRST + (at + i) % PORT_COUNT);
        if (is_free(nat, port, now)) {
            nat->port_last = port;
            return port;
        }
    }
    return 0;
}

static struct net_nat_entry permission_key(const struct net_nat_table *nat, uint16_t port,
                                           const struct q2p_addr *inside,
                                           const struct q2p_addr *remote)
{
    struct net_nat_entry key = {.kind = PERMISSION, .b = counted(nat->config.filtering, remote)};
    if (nat->config.scope == NET_NAT_SCOPE_MAPPING)
        key.port = port;
    else
        key.a = *inside;
    return key;
}

int net_nat_out(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *inside,
                const struct q2p_addr *to, struct q2p_addr *outside)
{
    make_room(nat, now);
    struct net_nat_entry key = {
        .kind = BY_INSIDE, .a = *inside, .b = counted(nat->config.mapping, to), .last_ns = now};
    struct net_nat_entry *mapping = find(nat, &key, now);
    if (!mapping) {
        struct net_nat_entry back = {.kind = BY_PORT, .a = *inside, .last_ns = now};
        back.port = choose_port(nat, now, inside->port);
        if (back.port == 0)
            return Q2P_ERR_FULL;
        key.twin = insert(nat, &back);
        mapping = &nat->entries[insert(nat, &key) - 1];
    }
    struct net_nat_entry *back = &nat->entries[mapping->twin - 1];
    mapping->last_ns = back->last_ns = now;
    *outside = nat->outside;
    outside->port = back->port;

    struct net_nat_entry allow = permission_key(nat, back->port, inside, to);
    struct net_nat_entry *permission = find(nat, &allow, now);
    allow.last_ns = now;
    if (permission)
        permission->last_ns = now;
    else
        insert(nat, &allow);
    return Q2P_OK;
}

int net_nat_in(struct net_nat_table *nat, q2p_time now, uint16_t port, const struct q2p_addr *from,
               struct q2p_addr *inside)
{
    struct net_nat_entry key = {.kind = BY_PORT, .port = port};
    const struct net_nat_entry *mapping = find(nat, &key, now);
    if (!mapping)
        return Q2P_ERR_ABSENT;
    *inside = mapping->a;
    key = permission_key(nat, port, inside, from);
    return find(nat, &key, now) ? Q2P_OK : Q2P_ERR_ADDRESS;
}
