/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_map.c - places, links and their names, and how to find them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net_addr.h"
#include "net_route.h"

struct net_name {
    uint32_t from, to;
    char text[]; /* "alice>bob" */
};

/* A place may come before the NAT that opens its realm. */
static void reserve_realm(struct net *net, uint32_t realm)
{
    while (realm >= net->realms_room) {
        size_t before = net->realms_room;
        net->gateways = sim_grow(net->gateways, &net->realms_room, sizeof *net->gateways);
        net->hints = sim_resize(net->hints, net->realms_room * sizeof *net->hints);
        memset(net->hints + before, 0, (net->realms_room - before) * sizeof *net->hints);
    }
}

static void add_realm(struct net *net, uint32_t gateway)
{
    reserve_realm(net, (uint32_t)net->realms_count);
    net->gateways[net->realms_count++] = gateway;
}

void net_init(struct net *net, struct sim_world *world, const struct net_tap *tap,
              const struct net_link_config *link_default)
{
    *net = (struct net){.world = world, .tap = tap};
    add_realm(net, NET_NOWHERE);
    net->common = (struct net_link){.tap = tap, .name_of = net_link_name, .ctx = net};
    net_set_default(net, link_default);
}

void net_set_default(struct net *net, const struct net_link_config *config)
{
    net_link_set(&net->common, config);
    net->remembers = net_link_remembers(config);
}

static void free_access(struct net_access *access)
{
    if (!access)
        return;
    net_link_free(&access->up);
    net_link_free(&access->down);
    free(access);
}

static void free_own(struct net *net)
{
    sim_pool_free(&net->memory);
    for (size_t i = 0; i < net->links_room; i++) {
        if (net->links[i])
            net_link_free(net->links[i]);
        free(net->links[i]);
    }
    for (size_t i = 0; i < net->names_room; i++)
        free(net->names[i]);
    net_link_free(&net->common);
    free(net->links);
    free(net->names);
}

void net_free(struct net *net)
{
    for (size_t i = 0; i < net->places_count; i++) {
        struct net_place *place = net->places[i];
        if (net_is_nat(place)) {
            net_nat_free(place->nat);
            net_nat_history_free(place->nat);
        }
        free_access(place->access);
    }
    for (uint32_t i = 0; i < net->views_count; i++)
        free_own(&net->views[i]);
    free_own(net);
    free(net->places);
    free(net->gateways);
    free(net->hints);
    free(net->finder);
}

/* ---- places ------------------------------------------------------------------------------ */

static uint64_t hash_spot(uint32_t realm, uint64_t ip_hash, uint16_t port)
{
    return net_port_hash(ip_hash + realm * UINT64_C(0x9fb21c651e98df25), port);
}

/* 64 bits of a bijection of address and realm are as good as the address. */
static struct net_slot *find_slot(const struct net *net, uint64_t hash)
{
    size_t at = (size_t)hash & (net->finder_room - 1);
    while (net->finder[at].place && net->finder[at].hash != hash)
        at = (at + 1) & (net->finder_room - 1);
    return &net->finder[at];
}

/* The NAT of a realm knows whom it may be asked for. */
static void hint_near(struct net *net, uint32_t realm)
{
    struct net_place *nat = net->places[net->gateways[realm]];
    ((struct net_nat_place *)nat)->near = net->hints[realm][0] | net->hints[realm][1];
}

static void fill_slot(struct net *net, struct net_place *place, const struct q2p_addr *addr)
{
    uint64_t ip_hash = net_ip_hash(addr), hash = hash_spot(place->realm, ip_hash, addr->port);
    struct net_slot *slot = find_slot(net, hash);
    assert(!slot->place);
    *slot = (struct net_slot){hash, place, place->hash, place->index};
    net->finder_count++;
    net->hints[place->realm][addr->port == 0] |= net_hint_of(ip_hash);
    if (place->realm != NET_REALM_PUBLIC && place->realm < net->realms_count)
        hint_near(net, place->realm);
}

static void fill_slots(struct net *net, struct net_place *place)
{
    fill_slot(net, place, &place->addr);
    for (uint32_t i = 1; net_is_nat(place) && i < place->nat->outsides_count; i++)
        fill_slot(net, place, &place->nat->outsides[i]);
}

static void fill_finder(struct net *net, size_t room)
{
    free(net->finder);
    net->finder_room = room;
    net->finder = sim_alloc(net->finder_room * sizeof *net->finder);
    net->finder_count = 0;
    for (size_t i = 0; i < net->places_count; i++)
        fill_slots(net, net->places[i]);
}

static void make_slots(struct net *net)
{
    if (4 * (net->finder_count + 1) >= 2 * net->finder_room)
        fill_finder(net, net->finder_room ? 2 * net->finder_room : 64);
}

void net_move_host(struct net_place *host, const struct q2p_addr *addr)
{
    struct net *net = host->net->whole ? host->net->whole : host->net;
    host->addr = *addr;
    fill_finder(net, net->finder_room);
    if (host->realm != NET_REALM_PUBLIC)
        net_nat_forget_notes(net->places[net->gateways[host->realm]]->nat);
    for (uint32_t i = 0; i < net->views_count; i++)
        net->views[i].finder = net->finder;
}

const struct net_slot *net_find_slot(const struct net *net, uint32_t realm, uint64_t ip_hash,
                                     uint16_t port)
{
    const uint64_t *hints = net->hints[realm], hint = net_hint_of(ip_hash);
    const struct net_slot *slot = NULL;
    if (hints[0] & hint)
        slot = find_slot(net, hash_spot(realm, ip_hash, port));
    if ((!slot || !slot->place) && hints[1] & hint)
        slot = find_slot(net, hash_spot(realm, ip_hash, 0));
    return slot && slot->place ? slot : NULL;
}

struct net_place *net_find_place(const struct net *net, uint32_t realm, const struct q2p_addr *addr)
{
    const struct net_slot *slot = net_find_slot(net, realm, net_ip_hash(addr), addr->port);
    return slot ? slot->place : NULL;
}

void net_find_soon(const struct net *net, const struct q2p_addr *addr)
{
    const uint64_t ip_hash = net_ip_hash(addr), hint = net_hint_of(ip_hash),
                   last = net->finder_room - 1;
    if (net->hints[NET_REALM_PUBLIC][0] & hint)
        sim_fetch_line(&net->finder[hash_spot(NET_REALM_PUBLIC, ip_hash, addr->port) & last]);
    if (net->hints[NET_REALM_PUBLIC][1] & hint)
        sim_fetch_line(&net->finder[hash_spot(NET_REALM_PUBLIC, ip_hash, 0) & last]);
}

static struct net_place *add_place(struct net *net, const char *name, uint32_t realm,
                                   const struct q2p_addr *addr, size_t len)
{
    make_slots(net);
    reserve_realm(net, realm);
    struct net_place *place = sim_arena_take(&net->memory.arena, len);
    if (net->places_count == net->places_room)
        net->places = sim_grow(net->places, &net->places_room, sizeof *net->places);
    place->net = net;
    place->name = name;
    place->hash = sim_mix_bytes(net->world->seed, name, strlen(name));
    place->turn.at = -1;
    place->index = (uint32_t)net->places_count;
    place->realm = realm;
    place->inner = NET_NOWHERE;
    place->addr = *addr;
    place->out = (struct net_element){&net_leave_ops};
    place->in = (struct net_element){&net_host_ops};
    net->places[net->places_count++] = place;
    fill_slot(net, place, addr);
    return place;
}

struct net_place *net_add_host(struct net *net, const char *name, uint32_t realm,
                               const struct q2p_addr *addr)
{
    return add_place(net, name, realm, addr, sizeof(struct net_place));
}

static bool decide_nat(void *ctx, const struct net_nat_draw *draw)
{
    const struct net_place *place = ctx;
    const struct net_tap *tap = place->net->tap;
    return !tap->decide_nat || tap->decide_nat(tap->ctx, place->index, draw);
}

static void tell_made(void *ctx, const struct net_nat_made *made)
{
    const struct net_place *place = ctx;
    const struct net_tap *tap = place->net->tap;
    if (tap->mapped)
        tap->mapped(tap->ctx, place->index, made);
}

static void tell_granted(void *ctx)
{
    const struct net_place *place = ctx;
    const struct net_tap *tap = place->net->tap;
    if (tap->granted)
        tap->granted(tap->ctx, place->index);
}

static const struct net_nat_watch watch = {decide_nat, tell_made, tell_granted};

struct net_place *net_add_nat(struct net *net, const char *name, uint32_t realm,
                              const struct q2p_addr *outside, const struct net_nat_config *config)
{
    char stream[64];
    struct net_nat_place *both =
        (struct net_nat_place *)add_place(net, name, realm, outside, sizeof *both);
    struct net_place *place = &both->place;
    snprintf(stream, sizeof stream, "nat:%s", name);
    place->nat = &both->nat;
    net_nat_init(place->nat, config, net->world->seed, stream);
    place->nat->outsides[place->nat->outsides_count++] = *outside;
    place->nat->pool = &net->memory;
    place->nat->watch = &watch;
    place->nat->ctx = place;
    place->in.ops = &net_nat_ops;
    place->inner = (uint32_t)net->realms_count;
    add_realm(net, place->index);
    hint_near(net, place->inner);
    return place;
}

int net_add_outside(struct net_place *nat, const struct q2p_addr *outside)
{
    if (nat->nat->outsides_count == NET_NAT_OUTSIDES_MAX)
        return Q2P_ERR_FULL;
    make_slots(nat->net);
    nat->nat->outsides[nat->nat->outsides_count++] = *outside;
    fill_slot(nat->net, nat, outside);
    return Q2P_OK;
}

void net_set_side(struct net_place *place, uint16_t side, enum net_side_way way)
{
    struct net *net = place->net->whole ? place->net->whole : place->net;
    place->side = side;
    place->side_way = way;
    net->parted = true;
    for (uint32_t i = 0; i < net->views_count; i++)
        net->views[i].parted = true;
}

uint32_t net_public_place(const struct net *net, uint32_t place)
{
    while (net->places[place]->realm != NET_REALM_PUBLIC)
        place = net->gateways[net->places[place]->realm];
    return place;
}

/* ---- links ------------------------------------------------------------------------------- */

static struct net_link **link_slot(const struct net *net, uint32_t from, uint32_t to)
{
    size_t at = (size_t)sim_mix(from, to) & (net->links_room - 1);
    while (net->links[at] && (net->links[at]->from != from || net->links[at]->to != to))
        at = (at + 1) & (net->links_room - 1);
    return &net->links[at];
}

static void make_link_room(struct net *net)
{
    if (2 * net->links_count < net->links_room)
        return;
    struct net_link **old = net->links;
    size_t room = net->links_room;
    net->links_room = room ? 2 * room : 64;
    net->links = sim_alloc(net->links_room * sizeof *net->links);
    for (size_t i = 0; i < room; i++)
        if (old[i])
            *link_slot(net, old[i]->from, old[i]->to) = old[i];
    free(old);
}

void net_link_adopt(struct net *net, struct net_link *link)
{
    make_link_room(net);
    link->tap = net->tap;
    link->ctx = net;
    *link_slot(net, link->from, link->to) = link;
    net->links_count++;
}

struct net_link *net_link_between(struct net *net, uint32_t from, uint32_t to)
{
    net = net->places[from]->net; /* whoever sends there */
    make_link_room(net);
    struct net_link **slot = link_slot(net, from, to);
    if (!*slot) {
        struct net_link *link = sim_alloc(sizeof *link);
        *link = (struct net_link){.from = from, .to = to, .name_of = net_link_name};
        net_link_adopt(net, link);
        net_link_set(link, &net->common.config);
        net->places[from]->links = true;
        return link;
    }
    return *slot;
}

const struct net_link *net_link_for(struct net *net, const struct net_place *from, uint32_t to)
{
    if (net->remembers)
        return net_link_between(net, from->index, to);
    if (from->links) {
        const struct net_link *link = *link_slot(net, from->index, to);
        if (link)
            return link;
    }
    return &net->common;
}

struct net_access *net_access_of(struct net_place *host)
{
    if (!host->access) {
        const struct net *net = host->net;
        struct net_access *access = host->access = sim_alloc(sizeof *access);
        access->place = host;
        access->up = access->down =
            (struct net_link){.from = host->index, .to = host->index, .tap = net->tap};
        access->up.name_of = access->down.name_of = net_link_name;
        access->up.ctx = access->down.ctx = host->net;
        access->up.direct = access->down.direct = true;
        access->up_end = (struct net_element){&net_up_ops};
        access->down_end = (struct net_element){&net_down_ops};
        access->up_turn.at = access->down_turn.at = -1;
        net_link_set(&access->up, &(struct net_link_config){0});
        net_link_set(&access->down, &(struct net_link_config){0});
    }
    return host->access;
}

/* ---- names ------------------------------------------------------------------------------- */

static struct net_name **name_slot(const struct net *net, uint32_t from, uint32_t to)
{
    size_t at = (size_t)sim_mix(from, to) & (net->names_room - 1);
    while (net->names[at] && (net->names[at]->from != from || net->names[at]->to != to))
        at = (at + 1) & (net->names_room - 1);
    return &net->names[at];
}

/* Names are made when somebody is told of a link the first time; access links have both ends at
 * one place. */
const char *net_link_name(void *ctx, const struct sim_packet *packet)
{
    struct net *net = ctx;
    if (2 * net->names_count >= net->names_room) {
        struct net_name **old = net->names;
        size_t room = net->names_room;
        net->names_room = room ? 2 * room : 64;
        net->names = sim_alloc(net->names_room * sizeof(struct net_name *));
        for (size_t i = 0; i < room; i++)
            if (old[i])
                *name_slot(net, old[i]->from, old[i]->to) = old[i];
        free(old);
    }
    struct net_name **slot = name_slot(net, packet->way_from, packet->way_to);
    if (!*slot) {
        const char *from = net->places[packet->way_from]->name;
        const char *to =
            packet->way_from == packet->way_to ? "access" : net->places[packet->way_to]->name;
        size_t len = strlen(from) + strlen(to) + 2;
        *slot = sim_alloc(sizeof **slot + len);
        (*slot)->from = packet->way_from;
        (*slot)->to = packet->way_to;
        snprintf((*slot)->text, len, "%s>%s", from, to);
        net->names_count++;
    }
    return (*slot)->text;
}

/* ---- questions --------------------------------------------------------------------------- */

uint32_t net_who(struct net *net, uint32_t seen_from, const struct q2p_addr *addr)
{
    uint32_t realm = net->places[seen_from]->realm;
    struct net_place *place;
    while (!(place = net_find_place(net, realm, addr))) {
        if (realm == NET_REALM_PUBLIC)
            return NET_NOWHERE;
        realm = net->places[net->gateways[realm]]->realm;
    }
    const struct net_place *asks = net->places[seen_from];
    const struct q2p_addr *from = asks->realm == NET_REALM_PUBLIC ? &asks->addr : NULL;
    struct q2p_addr at = *addr;
    while (place && net_is_nat(place)) { /* bounded by how deep NATs nest */
        struct q2p_addr inside;
        if (net_nat_owner_then(place->nat, net->world->now, &at, from, &inside) < 0)
            return NET_NOWHERE;
        at = inside;
        place = net_find_place(net, place->inner, &at);
    }
    return place ? place->index : NET_NOWHERE;
}

bool net_is_open(const struct net *net, uint32_t from, uint32_t to)
{
    uint32_t realm = net->places[from]->realm;
    while (realm != net->places[to]->realm && realm != NET_REALM_PUBLIC)
        realm = net->places[net->gateways[realm]]->realm;
    return realm == net->places[to]->realm;
}
