/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_tap.h - where the network tells what it does: a datagram was seen at a vantage point, a
 * datagram met its fate. Whoever wants captures, ladders or totals listens here.
 */
#ifndef NET_TAP_H
#define NET_TAP_H

#include "sim_world.h"

/* name, word, sentence before the place's name */
#define NET_FATE_MAP(XX)                                                                           \
    XX(FLYING, "flying", "still under way at the end")                                             \
    XX(DELIVERED, "delivered", "delivered to")                                                     \
    XX(LOST, "lost", "lost on link")                                                               \
    XX(CUT, "cut", "cut on link")                                                                  \
    XX(TOO_LONG, "too-long", "too long for link")                                                  \
    XX(QUEUE, "queue-full", "queue full on link")                                                  \
    XX(NO_MAPPING, "no-mapping", "no mapping at")                                                  \
    XX(FILTERED, "filtered", "filtered by")                                                        \
    XX(NO_PORT, "no-port", "no free port at")                                                      \
    XX(NO_QUOTA, "no-quota", "quota used up at")                                                   \
    XX(NO_HAIRPIN, "no-hairpin", "no hairpin at")                                                  \
    XX(NO_ROUTE, "no-route", "no such address seen from")                                          \
    XX(HOST_DOWN, "host-down", "nobody at work at")

enum net_fate {
#define XX(name, word, sentence) NET_FATE_##name,
    NET_FATE_MAP(XX)
#undef XX
        NET_FATES
};
const char *net_fate_word(enum net_fate fate);
const char *net_fate_sentence(enum net_fate fate);

struct net_nat_draw;
struct net_nat_made;

/* What a datagram does with the mapping it meets at a NAT: the word follows the mapping in a
 * sentence. A datagram that comes in refreshes, if such ones do. */
#define NET_USE_MAP(XX)                                                                            \
    XX(NONE, "")                                                                                   \
    XX(CREATED, "created")                                                                         \
    XX(REFRESHED, "refreshed")                                                                     \
    XX(USED, "used")                                                                               \
    XX(CLOSED, "closed to the sender")

enum net_use {
#define XX(name, word) NET_USE_##name,
    NET_USE_MAP(XX)
#undef XX
};
const char *net_use_word(enum net_use use);

/* A packet passes vantage point `point`, going out of (or into) the host or network there. */
struct net_sight {
    uint32_t point;
    bool out;
    enum net_use use;              /* of a mapping; NONE = there is none here */
    const struct q2p_addr *inside; /* whose mapping; the outside is src (out) or dst (in) */
};

/* All of it may be NULL. */
struct net_tap {
    void *ctx;
    void (*seen)(void *ctx, const struct net_sight *at, struct sim_packet *packet, q2p_time now);
    /* Its one fate; `where` lives as long as the network. The packet is gone afterwards. */
    void (*fate)(void *ctx, struct sim_packet *packet, enum net_fate fate, const char *where,
                 q2p_time now);
    /* All the luck of a packet on the link `key`, as drawn; the answer counts. */
    uint64_t (*luck)(void *ctx, const struct sim_packet *packet, uint64_t key, uint64_t drawn);
    /* Luck has been asked on a link (what: enum net_draw) and says `drawn`; the answer counts. A
     * delay that varies asks, too: without luck it is the shortest. */
    bool (*decide)(void *ctx, const struct sim_packet *packet, uint32_t what, bool drawn);
    /* A NAT has drawn a port (or an outside address) for a new mapping; false: it takes the first
     * one that is free instead. */
    bool (*decide_nat)(void *ctx, uint32_t place, const struct net_nat_draw *draw);
    /* A NAT has a new mapping. */
    void (*mapped)(void *ctx, uint32_t place, const struct net_nat_made *made);
    /* A NAT with a history has given a right to a shared port. */
    void (*granted)(void *ctx, uint32_t place);
};

#define NET_HEADERS_LEN 28 /* of IPv4 and UDP */

/* As links count it. */
static inline uint32_t net_packet_len(const struct sim_packet *packet)
{
    return packet->len + (packet->dst.ip_len == 16 ? NET_HEADERS_LEN + 20 : NET_HEADERS_LEN);
}

#endif
