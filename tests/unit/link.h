/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link.h - senders and receivers at the two ends of one link with a rate, a delay, a queue that
 * drops what does not fit, and random loss, in each direction. Time is virtual.
 */
#ifndef LINK_H
#define LINK_H

#include <stdlib.h>

#include <q2p/node.h>
#include <q2p/status.h>

#include "unit.h"

#define LINK_NODES_MAX 4
#define LINK_OVERHEAD 28 /* IPv4 and UDP headers */

struct link_datagram {
    q2p_time at;
    struct q2p_addr from, to;
    size_t len;
    uint8_t bytes[Q2P_DATAGRAM_MAX];
};

struct link_way {
    struct link_datagram *ring;
    size_t first, used, room;
    q2p_time busy_until;
    uint64_t sent, bytes, dropped, lost;
};

struct link {
    q2p_time now, delay_ns;
    uint64_t rate;      /* bytes per second; 0 = no limit */
    uint64_t queue;     /* bytes */
    unsigned loss;      /* of 1000 */
    uint64_t jitter_ns; /* so much more or less than delay_ns: datagrams overtake each other */
    uint64_t random;
    struct link_way ways[2]; /* 0: from even nodes to odd ones */
    size_t nodes_count;
    q2p_node *nodes[LINK_NODES_MAX];
    struct q2p_addr addrs[LINK_NODES_MAX];
    bool (*stop)(struct link *link, size_t node, const struct q2p_happening *what);
    bool (*swallow)(struct link *link, const struct q2p_datagram *out);
    size_t counts[LINK_NODES_MAX][32];  /* of happenings */
    q2p_time times[LINK_NODES_MAX][32]; /* of the last */
    bool stopped;
};

static inline void link_init(struct link *link, uint64_t rate, q2p_time delay_ns, uint64_t queue,
                             unsigned loss)
{
    memset(link, 0, sizeof *link);
    link->rate = rate;
    link->delay_ns = delay_ns;
    link->queue = queue;
    link->loss = loss;
    link->random = 88172645463325252ull;
}

static inline size_t link_add(struct link *link, const struct q2p_config *config)
{
    size_t i = link->nodes_count++;

    assert_true(i < LINK_NODES_MAX);
    link->addrs[i] = (struct q2p_addr){
        .ip = {10, 0, (uint8_t)(i % 2), (uint8_t)(1 + i)}, .port = 10000, .ip_len = 4};
    assert_int_equal(q2p_node_new(&link->nodes[i], config), Q2P_OK);
    assert_int_equal(q2p_node_own(link->nodes[i], &link->addrs[i]), Q2P_OK);
    return i;
}

static inline void link_free(struct link *link)
{
    for (size_t i = 0; i < link->nodes_count; i++)
        q2p_node_free(link->nodes[i]);
    for (int i = 0; i < 2; i++)
        free(link->ways[i].ring);
}

static inline uint64_t link_random(struct link *link)
{
    link->random ^= link->random << 13;
    link->random ^= link->random >> 7;
    link->random ^= link->random << 17;
    return link->random;
}

static inline void link_put(struct link_way *way, const struct link_datagram *datagram)
{
    if (way->used == way->room) {
        size_t room = way->room ? way->room * 2 : 256;
        struct link_datagram *ring = malloc(room * sizeof *ring);

        assert_non_null(ring);
        for (size_t i = 0; i < way->used; i++)
            ring[i] = way->ring[(way->first + i) % way->room];
        free(way->ring);
        way->ring = ring;
        way->room = room;
        way->first = 0;
    }
    way->ring[(way->first + way->used++) % way->room] = *datagram;
}

/* The last one before those that arrive later. */
static inline void link_overtake(struct link_way *way)
{
    for (size_t i = way->used - 1; i > 0; i--) {
        struct link_datagram *later = &way->ring[(way->first + i) % way->room];
        struct link_datagram *before = &way->ring[(way->first + i - 1) % way->room];
        struct link_datagram moved = *later;

        if (before->at <= later->at)
            return;
        *later = *before;
        *before = moved;
    }
}

static inline void link_send(struct link *link, size_t from, const struct q2p_datagram *out)
{
    struct link_way *way = &link->ways[from % 2];
    struct link_datagram datagram = {.from = link->addrs[from], .to = out->peer, .len = out->len};
    uint64_t size = out->len + LINK_OVERHEAD;

    way->sent++;
    way->bytes += out->len;
    if (link->swallow && link->swallow(link, out))
        return;
    if (way->busy_until < link->now)
        way->busy_until = link->now;
    if (link->rate) {
        uint64_t waiting = (uint64_t)(way->busy_until - link->now) * link->rate / Q2P_SECOND;

        if (waiting + size > link->queue) {
            way->dropped++;
            return;
        }
        way->busy_until += (q2p_time)(size * (uint64_t)Q2P_SECOND / link->rate);
    }
    if (link_random(link) % 1000 < link->loss) {
        way->lost++;
        return;
    }
    datagram.at = way->busy_until + link->delay_ns;
    if (link->jitter_ns)
        datagram.at +=
            (q2p_time)(link_random(link) % (2 * link->jitter_ns)) - (q2p_time)link->jitter_ns;
    memcpy(datagram.bytes, out->bytes, out->len);
    link_put(way, &datagram);
    link_overtake(way);
}

static inline void link_turn(struct link *link, size_t node)
{
    struct q2p_datagram out;
    struct q2p_happening what;
    bool some = true;

    while (some) {
        some = false;
        while (q2p_node_output(link->nodes[node], link->now, &out)) {
            link_send(link, node, &out);
            some = true;
        }
        while (q2p_node_happening(link->nodes[node], &what)) {
            some = true;
            link->counts[node][what.on]++;
            link->times[node][what.on] = link->now;
            if (link->stop && link->stop(link, node, &what))
                link->stopped = true;
        }
    }
}

static inline void link_deliver(struct link *link, struct link_way *way)
{
    struct link_datagram *datagram = &way->ring[way->first];
    struct q2p_datagram in = {datagram->from, datagram->bytes, datagram->len};

    way->first = (way->first + 1) % way->room;
    way->used--;
    for (size_t i = 0; i < link->nodes_count; i++) {
        if (!q2p_addr_equal(&link->addrs[i], &datagram->to))
            continue;
        q2p_node_input(link->nodes[i], link->now, &in);
        link_turn(link, i);
    }
}

/* Until then, or until `stop` says so. */
static inline void link_run(struct link *link, q2p_time until)
{
    size_t turns = 0;

    for (size_t i = 0; i < link->nodes_count; i++)
        link_turn(link, i);
    while (!link->stopped) {
        q2p_time next = Q2P_NEVER;

        for (int i = 0; i < 2; i++)
            if (link->ways[i].used && link->ways[i].ring[link->ways[i].first].at < next)
                next = link->ways[i].ring[link->ways[i].first].at;
        for (size_t i = 0; i < link->nodes_count; i++)
            if (q2p_node_deadline(link->nodes[i]) < next)
                next = q2p_node_deadline(link->nodes[i]);
        if (next > until)
            break;
        if (next > link->now) {
            link->now = next;
            turns = 0;
        }
        assert_true(turns++ < 100000); /* time stands still */
        for (int i = 0; i < 2; i++)
            if (link->ways[i].used && link->ways[i].ring[link->ways[i].first].at <= link->now)
                link_deliver(link, &link->ways[i]);
        for (size_t i = 0; i < link->nodes_count; i++) {
            if (q2p_node_deadline(link->nodes[i]) <= link->now) {
                q2p_node_tick(link->nodes[i], link->now);
                link_turn(link, i);
            }
        }
    }
    if (!link->stopped)
        link->now = until;
}

#endif
