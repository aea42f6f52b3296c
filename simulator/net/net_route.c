/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_route.c - finds the way of a packet: realm to realm through NATs, place to place by links. */
#include "net_route.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *net_fate_word(enum net_fate fate)
{
    static const char *const words[] = {
#define XX(name, word, sentence) word,
        NET_FATE_MAP(XX)
#undef XX
    };
    return words[fate];
}

const char *net_fate_sentence(enum net_fate fate)
{
    static const char *const sentences[] = {
#define XX(name, word, sentence) sentence,
        NET_FATE_MAP(XX)
#undef XX
    };
    return sentences[fate];
}

void net_init(struct net *net, struct sim_world *world, const struct net_tap *tap,
              const struct net_link_config *link_default)
{
    *net = (struct net){.world = world, .tap = tap, .link_default = *link_default};
    net->gateways = sim_grow(NULL, &net->realms_room, sizeof *net->gateways);
    net->gateways[net->realms_count++] = NET_NOWHERE;
}

void net_free(struct net *net)
{
    for (size_t i = 0; i < net->places_count; i++) {
        net_nat_free(&net->places[i]->nat);
        free(net->places[i]);
    }
    for (size_t i = 0; i < net->links_room; i++)
        free(net->links[i]);
    free(net->places);
    free(net->gateways);
    free(net->finder);
    free(net->links);
}

/* ---- places ------------------------------------------------------------------------------ */

static uint32_t *finder_slot(const struct net *net, uint32_t realm, const struct q2p_addr *addr)
{
    size_t at = (size_t)sim_mix_bytes(realm, addr, sizeof *addr) & (net->finder_room - 1);
    for (;; at = (at + 1) & (net->finder_room - 1)) {
        uint32_t *slot = &net->finder[at];
        if (*slot == 0)
            return slot;
        const struct net_place *place = net->places[*slot - 1];
        if (place->realm == realm && q2p_addr_equal(&place->addr, addr))
            return slot;
    }
}

static void finder_add(struct net *net, const struct net_place *place)
{
    if (2 * net->places_count >= net->finder_room) {
        free(net->finder);
        net->finder_room = net->finder_room ? 2 * net->finder_room : 64;
        net->finder = sim_alloc(net->finder_room * sizeof *net->finder);
        for (uint32_t i = 0; i < place->index; i++)
            *finder_slot(net, net->places[i]->realm, &net->places[i]->addr) = i + 1;
    }
    uint32_t *slot = finder_slot(net, place->realm, &place->addr);
    assert(*slot == 0);
    *slot = place->index + 1;
}

/* The host with exactly this address, else the NAT with this IP. */
static struct net_place *find_place(const struct net *net, uint32_t realm,
                                    const struct q2p_addr *addr)
{
    uint32_t slot = *finder_slot(net, realm, addr);
    if (slot == 0) {
        struct q2p_addr ip = *addr;
        ip.port = 0;
        slot = *finder_slot(net, realm, &ip);
    }
    return slot ? net->places[slot - 1] : NULL;
}

/* ---- packets ----------------------------------------------------------------------------- */

static void tell_seen(const struct net_place *place, bool out, struct sim_packet *packet)
{
    const struct net *net = place->net;
    net->tap->seen(net->tap->ctx, place->index, out, packet, net->world->now);
}

static void end(const struct net *net, struct sim_packet *packet, enum net_fate fate,
                const char *where)
{
    net->tap->fate(net->tap->ctx, packet, fate, where, net->world->now);
    sim_packet_drop(net->world, packet);
}

static void send_local(struct net_place *from, struct net_element *to, struct sim_packet *packet)
{
    struct sim_world *world = from->net->world;
    sim_world_deliver(world, world->now + NET_LAN_DELAY_NS, &from->out, to, packet);
}

/* From the inside through the NAT: new source, out at its outside (or back in again). */
static void leave_nat(struct net_place *nat, struct sim_packet *packet)
{
    struct net *net = nat->net;
    bool hairpin = packet->dst.ip_len == nat->addr.ip_len &&
                   memcmp(packet->dst.ip, nat->addr.ip, sizeof nat->addr.ip) == 0;
    if (packet->dst.ip_len != nat->addr.ip_len) {
        end(net, packet, NET_FATE_NO_ROUTE, nat->name);
        return;
    }
    if (hairpin && nat->nat.config.hairpin == NET_NAT_HAIRPIN_NONE) {
        end(net, packet, NET_FATE_NO_HAIRPIN, nat->name);
        return;
    }
    struct q2p_addr outside;
    if (net_nat_out(&nat->nat, net->world->now, &packet->src, &packet->dst, &outside) < 0) {
        end(net, packet, NET_FATE_NO_PORT, nat->name);
        return;
    }
    packet->src = outside;
    if (hairpin)
        send_local(nat, &nat->in, packet);
    else
        nat->out.ops->forward(&nat->out, net->world, packet);
}

static void leave(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    struct net_place *from =
        (struct net_place *)(void *)((char *)self - offsetof(struct net_place, out));
    struct net *net = from->net;
    tell_seen(from, true, packet);
    struct net_place *to = find_place(net, from->realm, &packet->dst);
    if (from->realm != NET_REALM_PUBLIC) {
        if (to)
            send_local(from, &to->in, packet);
        else
            leave_nat(net->places[net->gateways[from->realm]], packet);
    } else if (to) {
        struct net_element *start = net_link_start(net_link_between(net, from->index, to->index));
        start->ops->forward(start, world, packet);
    } else {
        end(net, packet, NET_FATE_NO_ROUTE, from->name);
    }
}

static void arrive_host(struct net_element *self, struct sim_world *world,
                        struct sim_packet *packet)
{
    struct net_place *place = (struct net_place *)self; /* `in` comes first */
    packet->to = place->index;
    tell_seen(place, false, packet);
    place->net->tap->fate(place->net->tap->ctx, packet, NET_FATE_DELIVERED, place->name,
                          world->now);
    place->host->ops->forward(place->host, world, packet);
}

static void arrive_nat(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    struct net_place *nat = (struct net_place *)self;
    struct net *net = nat->net;
    tell_seen(nat, false, packet);
    struct q2p_addr inside;
    int status = net_nat_in(&nat->nat, world->now, packet->dst.port, &packet->src, &inside);
    if (status < 0) {
        end(net, packet, status == Q2P_ERR_ABSENT ? NET_FATE_NO_MAPPING : NET_FATE_FILTERED,
            nat->name);
        return;
    }
    packet->dst = inside;
    struct net_place *to = find_place(net, nat->inner, &inside);
    if (to)
        send_local(nat, &to->in, packet);
    else
        end(net, packet, NET_FATE_NO_ROUTE, nat->name);
}

static const struct net_ops leave_ops = {.forward = leave};
static const struct net_ops host_ops = {.forward = arrive_host};
static const struct net_ops nat_ops = {.forward = arrive_nat};

/* ---- building ---------------------------------------------------------------------------- */

static struct net_place *add_place(struct net *net, const char *name, uint32_t realm,
                                   const struct q2p_addr *addr)
{
    struct net_place *place = sim_alloc(sizeof *place);
    if (net->places_count == net->places_room)
        net->places = sim_grow(net->places, &net->places_room, sizeof *net->places);
    place->net = net;
    place->name = name;
    place->index = (uint32_t)net->places_count;
    place->realm = realm;
    place->inner = NET_NOWHERE;
    place->addr = *addr;
    place->out = (struct net_element){
        .ops = &leave_ops, .wake_at = Q2P_NEVER, .order = 2 * (uint64_t)place->index + 1};
    place->in = (struct net_element){.ops = &host_ops, .wake_at = Q2P_NEVER};
    net->places[net->places_count++] = place;
    finder_add(net, place);
    return place;
}

struct net_place *net_add_host(struct net *net, const char *name, uint32_t realm,
                               const struct q2p_addr *addr)
{
    return add_place(net, name, realm, addr);
}

struct net_place *net_add_nat(struct net *net, const char *name, uint32_t realm,
                              const struct q2p_addr *outside, const struct net_nat_config *config)
{
    char stream[64];
    struct net_place *place = add_place(net, name, realm, outside);
    snprintf(stream, sizeof stream, "nat:%s", name);
    net_nat_init(&place->nat, config, net->world->seed, stream);
    place->nat.outside = *outside;
    place->in.ops = &nat_ops;
    place->inner = (uint32_t)net->realms_count;
    if (net->realms_count == net->realms_room)
        net->gateways = sim_grow(net->gateways, &net->realms_room, sizeof *net->gateways);
    net->gateways[net->realms_count++] = place->index;
    return place;
}

uint32_t net_public_place(const struct net *net, uint32_t place)
{
    while (net->places[place]->realm != NET_REALM_PUBLIC)
        place = net->gateways[net->places[place]->realm];
    return place;
}

static struct net_link **link_slot(const struct net *net, uint32_t from, uint32_t to)
{
    size_t at = (size_t)sim_mix(from, to) & (net->links_room - 1);
    while (net->links[at] && (net->links[at]->from != from || net->links[at]->to != to))
        at = (at + 1) & (net->links_room - 1);
    return &net->links[at];
}

struct net_link *net_link_between(struct net *net, uint32_t from, uint32_t to)
{
    if (2 * net->links_count >= net->links_room) {
        struct net_link **old = net->links;
        size_t room = net->links_room;
        net->links_room = room ? 2 * room : 64;
        net->links = sim_alloc(net->links_room * sizeof *net->links);
        for (size_t i = 0; i < room; i++)
            if (old[i])
                *link_slot(net, old[i]->from, old[i]->to) = old[i];
        free(old);
    }
    struct net_link **slot = link_slot(net, from, to);
    if (!*slot) {
        char name[sizeof(*slot)->name];
        struct net_link *link = *slot = sim_alloc(sizeof **slot);
        snprintf(name, sizeof name, "%s>%s", net->places[from]->name, net->places[to]->name);
        link->from = from;
        link->to = to;
        net_link_init(link, net->world->seed, net->tap, name, &net->places[to]->in);
        net_link_set(link, &net->link_default);
        net->links_count++;
    }
    return *slot;
}

/* ---- questions --------------------------------------------------------------------------- */

uint32_t net_who(struct net *net, uint32_t seen_from, const struct q2p_addr *addr)
{
    uint32_t realm = net->places[seen_from]->realm;
    struct net_place *place;
    while (!(place = find_place(net, realm, addr))) {
        if (realm == NET_REALM_PUBLIC)
            return NET_NOWHERE;
        realm = net->places[net->gateways[realm]]->realm;
    }
    struct q2p_addr at = *addr;
    while (place && place->inner != NET_NOWHERE) { /* bounded by how deep NATs nest */
        struct q2p_addr inside;
        if (net_nat_in(&place->nat, net->world->now, at.port, &at, &inside) == Q2P_ERR_ABSENT)
            return NET_NOWHERE;
        at = inside;
        place = find_place(net, place->inner, &at);
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
