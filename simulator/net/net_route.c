/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_route.c - the way of a packet: realm to realm through NATs, place to place by links. */
#include "net_route.h"

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

static void tell_seen(const struct net_place *place, bool out, struct sim_packet *packet)
{
    const struct net *net = place->net;
    if (net->tap->seen)
        net->tap->seen(net->tap->ctx, place->index, out, packet, net->world->now);
}

static void end(const struct net *net, struct sim_packet *packet, enum net_fate fate,
                const char *where)
{
    if (net->tap->fate)
        net->tap->fate(net->tap->ctx, packet, fate, where, net->world->now);
    sim_packet_drop(net->world, packet);
}

static void send_local(struct net_place *from, struct net_element *to, struct sim_packet *packet)
{
    struct sim_world *world = from->net->world;
    sim_world_deliver(world, world->now + NET_LAN_DELAY_NS, &from->out, to, packet);
}

static void send_far(struct net_place *from, struct net_place *to, struct sim_packet *packet)
{
    struct net *net = from->net;
    packet->way_from = from->index;
    packet->way_to = to->index;
    packet->way_end = &to->in;
    packet->order = UINT64_C(1) << 63 | (uint64_t)from->index << 32 | to->index;
    const struct net_link *link = net_link_for(net, from, to);
    if (from->side != to->side)
        net_link_end(link, net->world, packet, NET_FATE_CUT);
    else
        net_link_enter(link, net->world, packet, sim_mix(from->hash, to->hash), &from->turn);
}

static void leave_place(struct net_place *from, struct sim_packet *packet);

/* Its NAT may come after it; so this is no matter of building. */
static struct net_place *gateway_of(struct net_place *place)
{
    if (!place->gateway)
        place->gateway = place->net->places[place->net->gateways[place->realm]];
    return place->gateway;
}

/* From the inside through the NAT: new source, out at its outside (or back in again). */
static void leave_nat(struct net_place *nat, struct sim_packet *packet)
{
    static const enum net_fate fates[] = {NET_FATE_NO_PORT, NET_FATE_NO_QUOTA};
    struct net *net = nat->net;
    bool hairpin = net_nat_outside(nat->nat, &packet->dst) >= 0;
    if (packet->dst.ip_len != nat->addr.ip_len) {
        end(net, packet, NET_FATE_NO_ROUTE, nat->name);
        return;
    }
    if (hairpin && nat->nat->config.hairpin == NET_NAT_HAIRPIN_NONE) {
        end(net, packet, NET_FATE_NO_HAIRPIN, nat->name);
        return;
    }
    struct q2p_addr outside;
    net_find_soon(net, nat->realm, &packet->dst);
    int status = net_nat_out(nat->nat, net->world->now, &packet->src, &packet->dst, &outside);
    if (status < 0) {
        end(net, packet, fates[status == Q2P_ERR_BUSY], nat->name);
        return;
    }
    packet->src = outside;
    if (hairpin) {
        send_local(nat, &nat->in, packet);
        return;
    }
    tell_seen(nat, true, packet);
    leave_place(nat, packet);
}

static void leave_place(struct net_place *from, struct sim_packet *packet)
{
    struct net *net = from->net;
    struct net_place *to = net_find_place(net, from->realm, &packet->dst);
    if (from->realm != NET_REALM_PUBLIC) {
        if (to)
            send_local(from, &to->in, packet);
        else
            leave_nat(gateway_of(from), packet);
    } else if (to) {
        send_far(from, to, packet);
    } else {
        end(net, packet, NET_FATE_NO_ROUTE, from->name);
    }
}

static void leave(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    struct net_place *from =
        (struct net_place *)(void *)((char *)self - offsetof(struct net_place, out));
    tell_seen(from, true, packet);
    if (!from->access) {
        leave_place(from, packet);
        return;
    }
    struct net_access *access = from->access;
    packet->way_from = packet->way_to = from->index;
    packet->way_end = &access->up_end;
    packet->order = UINT64_C(1) << 62 | 2 * (uint64_t)from->index;
    net_link_enter(&access->up, world, packet, sim_mix(from->hash, 1), &access->up_turn);
}

static void leave_up(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    struct net_access *access = (void *)((char *)self - offsetof(struct net_access, up_end));
    (void)world;
    leave_place(access->place, packet);
}

static void reach_host(struct net_place *place, struct sim_packet *packet)
{
    struct net *net = place->net;
    packet->to = place->index;
    tell_seen(place, false, packet);
    if (net->tap->fate)
        net->tap->fate(net->tap->ctx, packet, NET_FATE_DELIVERED, place->name, net->world->now);
    place->host->ops->forward(place->host, net->world, packet);
}

static void arrive_host(struct net_element *self, struct sim_world *world,
                        struct sim_packet *packet)
{
    struct net_place *place = (struct net_place *)self; /* `in` comes first */
    struct net_access *access = place->access;
    if (!access) {
        reach_host(place, packet);
        return;
    }
    packet->way_from = packet->way_to = place->index;
    packet->way_end = &access->down_end;
    packet->order = UINT64_C(1) << 62 | (2 * (uint64_t)place->index + 1);
    net_link_enter(&access->down, world, packet, sim_mix(place->hash, 2), &access->down_turn);
}

static void arrive_down(struct net_element *self, struct sim_world *world,
                        struct sim_packet *packet)
{
    struct net_access *access = (void *)((char *)self - offsetof(struct net_access, down_end));
    (void)world;
    reach_host(access->place, packet);
}

static void arrive_nat(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    struct net_place *nat = (struct net_place *)self;
    struct net *net = nat->net;
    struct q2p_addr inside, source;
    tell_seen(nat, false, packet);
    enum net_nat_hairpin hairpin = NET_NAT_HAIRPIN_NONE;
    if (net_nat_outside(nat->nat, &packet->src) >= 0)
        hairpin = nat->nat->config.hairpin;
    int status = net_nat_in(nat->nat, world->now, &packet->dst, &packet->src, &inside);
    if (status == Q2P_ERR_ADDRESS && hairpin == NET_NAT_HAIRPIN_UNFILTERED)
        status = Q2P_OK;
    if (status < 0) {
        end(net, packet, status == Q2P_ERR_ABSENT ? NET_FATE_NO_MAPPING : NET_FATE_FILTERED,
            nat->name);
        return;
    }
    if (hairpin == NET_NAT_HAIRPIN_INTERNAL &&
        net_nat_owner(nat->nat, world->now, &packet->src, &packet->dst, &source) == Q2P_OK)
        packet->src = source;
    packet->dst = inside;
    struct net_place *to = net_find_place(net, nat->inner, &inside);
    if (to)
        send_local(nat, &to->in, packet);
    else
        end(net, packet, NET_FATE_NO_ROUTE, nat->name);
}

static void soon_host(const struct net_element *self, const struct sim_packet *packet, int step)
{
    const struct net_place *place = (const struct net_place *)self;
    if (step == 0)
        __builtin_prefetch(place->host);
    else if (step == 1 && place->host->ops->soon)
        place->host->ops->soon(place->host, packet, 0);
}

static void soon_nat(const struct net_element *self, const struct sim_packet *packet, int step)
{
    const struct net_nat_table *nat = ((const struct net_place *)self)->nat;
    if (step == 0) {
        __builtin_prefetch(nat);
        __builtin_prefetch((const char *)nat + 64);
        __builtin_prefetch((const char *)nat + 128);
    } else if (step == 1) {
        net_nat_soon(nat, &packet->dst, &packet->src);
    }
}

static void soon_out(const struct net_element *self, const struct sim_packet *packet, int step)
{
    const struct net_place *place =
        (const struct net_place *)(const void *)((const char *)self -
                                                 offsetof(struct net_place, out));
    const char *nat = (const char *)place->gateway;
    (void)packet;
    if (!nat)
        return;
    if (step == 1) /* with its table behind it */
        for (size_t at = 0; at < sizeof(struct net_place) + 192; at += 64)
            __builtin_prefetch(nat + at);
    else
        __builtin_prefetch(place->gateway->nat->mappings);
}

const struct net_ops net_leave_ops = {.forward = leave, .soon = soon_out};
const struct net_ops net_host_ops = {.forward = arrive_host, .soon = soon_host};
const struct net_ops net_nat_ops = {.forward = arrive_nat, .soon = soon_nat};
const struct net_ops net_up_ops = {.forward = leave_up};
const struct net_ops net_down_ops = {.forward = arrive_down};
