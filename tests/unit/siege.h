/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * siege.h - one node, an honest one that talks with it, and 65,536 addresses that say what a test
 * likes. Time is virtual. Bytes from and to each of them are counted, and so is every byte of
 * memory that the node holds.
 */
#ifndef SIEGE_H
#define SIEGE_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <q2p/node.h>
#include <q2p/status.h>

#define SIEGE_ADDRS 65536
#define SIEGE_QUEUE 8192

struct siege_flight {
    q2p_time at;
    int to;
    size_t len;
    uint8_t bytes[Q2P_DATAGRAM_MAX];
};

struct siege_ledger {
    uint64_t bytes_in, bytes_out; /* from it, and to it of both; without headers of IP and UDP */
    uint64_t fragments;           /* to it */
    uint64_t count_out;
    bool called, answered;       /* a CONNECT went to it, and CONNECTED came: so it is there */
    uint64_t asked;              /* OPTIONS to it that an original would answer */
    struct q2p_hash asked_about; /* ... the last of them */
};

struct siege {
    q2p_node *nodes[2]; /* under siege, honest */
    struct q2p_addr addrs[2];
    q2p_time now;
    struct siege_flight *queue;
    size_t first, end; /* of the queue between the two; used round */
    struct siege_ledger *evil;
    struct siege_ledger honest;
    unsigned told[2][32]; /* happenings by number */
    size_t held, held_peak;
    uint64_t refusals; /* CONNECT_FAILED */
    uint64_t unread;   /* datagrams given out that are not well-formed */
};

static inline struct q2p_addr siege_addr(unsigned i)
{
    struct q2p_addr addr = {.ip = {10, 66, (uint8_t)(i >> 8), (uint8_t)i}, .port = 6, .ip_len = 4};

    return addr;
}

static inline void *siege_resize(void *ctx, void *old, size_t old_len, size_t new_len)
{
    struct siege *siege = ctx;

    siege->held += new_len - old_len;
    if (siege->held > siege->held_peak)
        siege->held_peak = siege->held;
    if (new_len == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_len);
}

/* config is of the node under siege; the honest one has the defaults and the same dialect. */
static inline void siege_init(struct siege *siege, struct q2p_config *config)
{
    struct q2p_config honest;

    memset(siege, 0, sizeof *siege);
    siege->queue = calloc(SIEGE_QUEUE, sizeof *siege->queue);
    siege->evil = calloc(SIEGE_ADDRS, sizeof *siege->evil);
    config->alloc = (struct q2p_alloc){siege, siege_resize};
    q2p_config_init(&honest);
    honest.dialect = config->dialect;
    if (!siege->queue || !siege->evil || q2p_node_new(&siege->nodes[0], config) != Q2P_OK ||
        q2p_node_new(&siege->nodes[1], &honest) != Q2P_OK)
        abort();
    for (int i = 0; i < 2; i++) {
        siege->addrs[i] =
            (struct q2p_addr){.ip = {10, 0, 0, (uint8_t)(1 + i)}, .port = 1, .ip_len = 4};
        if (q2p_node_own(siege->nodes[i], &siege->addrs[i]) != Q2P_OK)
            abort();
    }
}

static inline void siege_free(struct siege *siege)
{
    q2p_node_free(siege->nodes[0]);
    q2p_node_free(siege->nodes[1]);
    free(siege->queue);
    free(siege->evil);
}

/* A datagram of one of the two. */
static inline void siege_post(struct siege *siege, int from, const struct q2p_datagram *out)
{
    enum q2p_dialect dialect = q2p_wire_dialect(out->bytes, out->len, out->len);
    struct siege_ledger *ledger = &siege->honest;
    struct q2p_packet packet;

    siege->unread += q2p_wire_read(&packet, dialect ? dialect : Q2P_DIALECT_CLASSIC, out->bytes,
                                   out->len, out->len) != Q2P_OK;
    if (out->peer.ip[1] == 66)
        ledger = &siege->evil[out->peer.ip[2] << 8 | out->peer.ip[3]];
    ledger->bytes_out += out->len;
    if (from == 0) {
        siege->refusals += packet.event == Q2P_EV_CONNECT_FAILED;
        ledger->called |= packet.event == Q2P_EV_CONNECT;
        ledger->fragments += packet.event == Q2P_EV_TRANSPORT;
        if (packet.event == Q2P_EV_OPTIONS && packet.token_at.len == 0) {
            ledger->asked++;
            memcpy(&ledger->asked_about, out->bytes + packet.hash_at.at, Q2P_HASH_LEN);
        }
        ledger->count_out++;
    }
    if (!q2p_addr_equal(&out->peer, &siege->addrs[!from]) ||
        siege->end - siege->first == SIEGE_QUEUE)
        return;
    struct siege_flight *flight = &siege->queue[siege->end++ % SIEGE_QUEUE];
    flight->at = siege->now + Q2P_MILLISECOND;
    flight->to = !from;
    flight->len = out->len;
    memcpy(flight->bytes, out->bytes, out->len);
}

static inline void siege_settle(struct siege *siege, int node)
{
    struct q2p_happening what;
    struct q2p_datagram out;
    int more;

    do {
        for (more = 0; q2p_node_output(siege->nodes[node], siege->now, &out) == 1; more = 1)
            siege_post(siege, node, &out);
        for (; q2p_node_happening(siege->nodes[node], &what) == 1; more = 1)
            siege->told[node][what.on]++;
    } while (more);
}

/* One of the others says something. */
static inline int siege_throw(struct siege *siege, unsigned from, const void *bytes, size_t len)
{
    struct q2p_datagram in = {siege_addr(from), bytes, len};
    int status;

    siege->evil[from].bytes_in += len;
    if (len >= 4 && siege->evil[from].called && memcmp(bytes, "\0\0\6\0", 4) == 0)
        siege->evil[from].answered = true;
    status = q2p_node_input(siege->nodes[0], siege->now, &in);
    siege_settle(siege, 0);
    return status;
}

static inline int siege_say(struct siege *siege, unsigned from, enum q2p_dialect dialect,
                            const struct q2p_message *message)
{
    uint8_t bytes[Q2P_DATAGRAM_MAX];
    int len = q2p_wire_write(bytes, sizeof bytes, dialect, message);

    assert(len > 0 && (size_t)len <= sizeof bytes);
    return siege_throw(siege, from, bytes, (size_t)len);
}

/* Lets everything happen up to a time, and sets the clock to it. */
static inline void siege_run(struct siege *siege, q2p_time until)
{
    siege_settle(siege, 0);
    siege_settle(siege, 1);
    for (;;) {
        struct siege_flight *flight = &siege->queue[siege->first % SIEGE_QUEUE];
        q2p_time next = siege->first < siege->end ? flight->at : Q2P_NEVER;

        for (int i = 0; i < 2; i++)
            if (q2p_node_deadline(siege->nodes[i]) < next)
                next = q2p_node_deadline(siege->nodes[i]);
        if (next > until)
            break;
        if (next > siege->now)
            siege->now = next;
        if (siege->first < siege->end && flight->at <= siege->now) {
            struct q2p_datagram in = {siege->addrs[!flight->to], flight->bytes, flight->len};

            siege->first++;
            q2p_node_input(siege->nodes[flight->to], siege->now, &in);
            siege_settle(siege, flight->to);
        }
        for (int i = 0; i < 2; i++)
            if (q2p_node_deadline(siege->nodes[i]) <= siege->now) {
                q2p_node_tick(siege->nodes[i], siege->now);
                siege_settle(siege, i);
            }
    }
    siege->now = until;
}

/*
 * What a node may take in all: fragments and, for every transmission and peer that may be at a
 * time, what it takes to know of it; queues come on top.
 */
static inline size_t siege_bound(const struct q2p_config *config)
{
    return config->memory_max + (size_t)config->incoming_max * 1024 +
           (size_t)config->outgoing_max * 512 + (size_t)config->peers_max * 1024 + 192 * 1024;
}

#endif
