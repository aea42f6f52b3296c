/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_route.c - the way of a packet: realm to realm through NATs, place to place by links. */
#include "net_route.h"
#include "net_addr.h"

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

const char *net_use_word(enum net_use use)
{
    static const char *const words[] = {
#define XX(name, word) word,
        NET_USE_MAP(XX)
#undef XX
    };
    return words[use];
}

static void tell_used(const struct net_place *place, bool out, struct sim_packet *packet,
                      enum net_use use, const struct q2p_addr *inside)
{
    const struct net *net = place->net;
    const struct net_sight sight = {place->index, out, use, inside};
    net->tap->seen(net->tap->ctx, &sight, packet, net->world->now);
}

static void tell_seen(const struct net_place *place, bool out, struct sim_packet *packet)
{
    if (place->net->tap->seen)
        tell_used(place, out, packet, NET_USE_NONE, NULL);
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
    if (to->ops == &net_host_ops)
        to->ops->soon[1](to, packet);              /* a local network is quick */
    packet->order = 2 * (uint64_t)from->index + 1; /* even ones belong to hosts that run */
    packet->turn = 2 * from->turn.count++;
    sim_world_deliver(world, world->now + NET_LAN_DELAY_NS, to, packet);
}

static bool bars(const struct net_place *place, enum net_side_way way)
{
    return place->side && (place->side_way == NET_SIDE_BOTH || place->side_way == way);
}

static bool is_parted(const struct net_place *from, const struct net_slot *to)
{
    return from->net->parted && from->side != to->place->side &&
           (bars(from, NET_SIDE_OUT) || bars(to->place, NET_SIDE_IN));
}

static void send_far(struct net_place *from, const struct net_slot *to, struct sim_packet *packet)
{
    struct net *net = from->net;
    packet->way_from = from->index;
    packet->way_to = to->index;
    packet->way_end = &to->place->in;
    packet->order = UINT64_C(1) << 63 | (uint64_t)from->index << 32 | to->index;
    const struct net_link *link = net_link_for(net, from, to->index);
    if (is_parted(from, to))
        net_link_end(link, net->world, packet, NET_FATE_CUT);
    else
        net_link_enter(link, net->world, packet, sim_mix(from->hash, to->luck), &from->turn);
}

static void leave_to(struct net_place *from, const struct net_slot *to, struct sim_packet *packet,
                     uint64_t ip_hash);

/* Its NAT may come after it; so this is no matter of building. */
static struct net_place *gateway_of(struct net_place *place)
{
    if (!place->gateway)
        place->gateway = place->net->places[place->net->gateways[place->realm]];
    return place->gateway;
}

/* Of the datagram that went out last. */
static enum net_use use_outward(const struct net_nat_table *nat)
{
    if (nat->made)
        return NET_USE_CREATED;
    return nat->config.refresh != NET_NAT_REFRESH_IN ? NET_USE_REFRESHED : NET_USE_USED;
}

/* From the inside through the NAT: new source, out at its outside (or back in again). */
static void leave_nat(struct net_place *nat, struct net_place *from, struct sim_packet *packet,
                      uint64_t ip_hash)
{
    static const enum net_fate fates[] = {NET_FATE_NO_PORT, NET_FATE_NO_QUOTA};
    struct net *net = nat->net;
    const struct net_slot *to = net_find_slot(net, nat->realm, ip_hash, packet->dst.port);
    bool hairpin = to && to->place == nat;
    if (packet->dst.ip_len != nat->addr.ip_len) {
        end(net, packet, NET_FATE_NO_ROUTE, nat->name);
        return;
    }
    if (hairpin && nat->nat->config.hairpin == NET_NAT_HAIRPIN_NONE) {
        end(net, packet, NET_FATE_NO_HAIRPIN, nat->name);
        return;
    }
    struct q2p_addr outside, inside = packet->src;
    int status = net_nat_out(nat->nat, net->world->now, &inside, &packet->dst, &outside);
    if (status < 0) {
        end(net, packet, fates[status == Q2P_ERR_BUSY], nat->name);
        return;
    }
    *net_nat_note(nat->nat) = from;
    packet->src = outside;
    if (hairpin) {
        send_local(nat, &nat->in, packet);
        return;
    }
    if (net->tap->seen)
        tell_used(nat, true, packet, use_outward(nat->nat), &inside);
    leave_to(nat, to, packet, ip_hash);
}

/* to: who has its destination in this realm, if anybody; ip_hash: of the destination. */
static void leave_to(struct net_place *from, const struct net_slot *to, struct sim_packet *packet,
                     uint64_t ip_hash)
{
    if (from->realm != NET_REALM_PUBLIC) {
        if (to)
            send_local(from, &to->place->in, packet);
        else
            leave_nat(gateway_of(from), from, packet, ip_hash);
    } else if (to) {
        send_far(from, to, packet);
    } else {
        end(from->net, packet, NET_FATE_NO_ROUTE, from->name);
    }
}

static void leave_place(struct net_place *from, struct sim_packet *packet)
{
    uint64_t ip_hash = net_ip_hash(&packet->dst);
    if (from->realm != NET_REALM_PUBLIC) {
        struct net_place *nat = gateway_of(from);
        if (!(((struct net_nat_place *)nat)->near & net_hint_of(ip_hash))) { /* as a rule */
            leave_nat(nat, from, packet, ip_hash);
            return;
        }
    }
    leave_to(from, net_find_slot(from->net, from->realm, ip_hash, packet->dst.port), packet,
             ip_hash);
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

/* Nobody is there: an ICMP error goes back, out through the NATs of the host, which put what it
 * quotes as it was outside, and in through those of the sender, which may end its mapping. It is
 * there at once (in another part of the run never: where that matters, there is but one). */
static void refuse(struct net_place *place, struct sim_packet *packet)
{
    struct net *net = place->net;
    struct q2p_addr from = packet->src, to = packet->dst, inside;
    q2p_time now = net->world->now;
    uint32_t realm = place->realm;
    struct net_place *nat = net_find_place(net, realm, &from);
    while (!nat && realm != NET_REALM_PUBLIC) {
        struct net_place *gateway = net->places[net->gateways[realm]];
        struct q2p_addr outside;
        if (gateway->net != net ||
            net_nat_icmp_out(gateway->nat, now, &to, &from, &outside) != Q2P_OK)
            break;
        to = outside;
        realm = gateway->realm;
        nat = net_find_place(net, realm, &from);
    }
    while (nat && net_is_nat(nat) && nat->net == net &&
           net_nat_owner(nat->nat, now, &from, &to, &inside) == Q2P_OK) {
        net_nat_icmp(nat->nat, now, &from, &to);
        from = inside;
        nat = net_find_place(net, nat->inner, &from);
    }
    end(net, packet, NET_FATE_HOST_DOWN, place->name);
}

static void reach_host(struct net_place *place, struct sim_packet *packet)
{
    struct net *net = place->net;
    packet->to = place->index;
    tell_seen(place, false, packet);
    if (place->down) {
        refuse(place, packet);
        return;
    }
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

/* Who sent first from an inside endpoint is kept with its mapping, until a host there moves. */
static struct net_place *whose(struct net_place *nat, const struct q2p_addr *inside)
{
    void **note = net_nat_note(nat->nat);
    if (!*note)
        *note = net_find_place(nat->net, nat->inner, inside);
    return *note;
}

static enum net_use use_inward(const struct net_nat_table *nat, int status)
{
    if (status == Q2P_ERR_ABSENT)
        return NET_USE_NONE;
    if (status < 0)
        return NET_USE_CLOSED;
    return nat->config.refresh != NET_NAT_REFRESH_OUT ? NET_USE_REFRESHED : NET_USE_USED;
}

static void arrive_nat(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    struct net_place *nat = (struct net_place *)self;
    struct net *net = nat->net;
    struct q2p_addr inside, source;
    enum net_nat_hairpin hairpin = NET_NAT_HAIRPIN_NONE;
    if (nat->nat->config.hairpin != NET_NAT_HAIRPIN_NONE &&
        net_nat_outside(nat->nat, &packet->src) >= 0)
        hairpin = nat->nat->config.hairpin;
    int status = net_nat_in(nat->nat, world->now, &packet->dst, &packet->src, &inside);
    if (net->tap->seen)
        tell_used(nat, false, packet, use_inward(nat->nat, status), &inside);
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
    struct net_place *to = whose(nat, &inside);
    if (to)
        to->in.ops->forward(&to->in, world, packet);
    else
        end(net, packet, NET_FATE_NO_ROUTE, nat->name);
}

/* ---- what will be needed soon ------------------------------------------------------------ */

static void fetch_host(const struct net_element *self, const struct sim_packet *packet)
{
    sim_fetch(((const struct net_place *)self)->host, 2 * SIM_LINE);
    sim_fetch_line(packet->record);
}

static void fetch_machine(const struct net_place *place, const struct sim_packet *packet)
{
    if (place->host->ops->soon[1])
        place->host->ops->soon[1](place->host, packet);
}

static void fetch_machine_here(const struct net_element *self, const struct sim_packet *packet)
{
    fetch_machine((const struct net_place *)self, packet);
}

static void fetch_bytes(const struct net_element *self, const struct sim_packet *packet)
{
    (void)self;
    sim_fetch(packet->bytes, sizeof packet->bytes);
}

static void fetch_table(const struct net_element *self, const struct sim_packet *packet)
{
    sim_fetch(((const struct net_place *)self)->nat, NET_NAT_PLACE_HOT - 2 * SIM_LINE);
    sim_fetch_line(packet->record);
}

static void fetch_right(const struct net_element *self, const struct sim_packet *packet)
{
    sim_fetch_line(net_nat_soon(((const struct net_place *)self)->nat, &packet->src));
}

static void fetch_host_behind(const struct net_element *self, const struct sim_packet *packet)
{
    const struct net_place *host = ((const struct net_place *)self)->nat->only.note;
    if (host)
        sim_fetch(host->host, 2 * SIM_LINE);
    fetch_bytes(self, packet);
}

static void fetch_machine_behind(const struct net_element *self, const struct sim_packet *packet)
{
    const struct net_place *host = ((const struct net_place *)self)->nat->only.note;
    if (host && !net_is_nat(host))
        fetch_machine(host, packet);
}

static const struct net_place *place_of(const struct net_element *out)
{
    return (const void *)((const char *)out - offsetof(struct net_place, out));
}

/* The NAT that it leaves through. */
static void fetch_gateway(const struct net_element *self, const struct sim_packet *packet)
{
    (void)packet;
    if (place_of(self)->gateway)
        sim_fetch(place_of(self)->gateway, NET_NAT_PLACE_HOT);
}

static void fetch_way(const struct net_element *self, const struct sim_packet *packet)
{
    const struct net_place *place = place_of(self);
    net_find_soon(place->net, &packet->dst);
    if (place->gateway)
        net_nat_soon(place->gateway->nat, &packet->dst);
}

const struct net_ops net_leave_ops = {.forward = leave, .soon = {fetch_gateway}, .sent = fetch_way};
const struct net_ops net_host_ops = {.forward = arrive_host,
                                     .soon = {fetch_host, fetch_machine_here, fetch_bytes}};
const struct net_ops net_nat_ops = {
    .forward = arrive_nat,
    .soon = {fetch_table, fetch_right, fetch_host_behind, fetch_machine_behind}};
const struct net_ops net_up_ops = {.forward = leave_up};
const struct net_ops net_down_ops = {.forward = arrive_down};
