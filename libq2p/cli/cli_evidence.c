/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_evidence.c - tells Q2P from other UDP traffic and one dialect from the other, from what was
 * seen so far (PROTOCOL.md 4).
 */
#include "cli_evidence.h"

#include <stdlib.h>
#include <string.h>

#include <q2p/drive.h>

void cli_evidence_init(struct cli_evidence *evidence, uint16_t port, size_t max)
{
    *evidence = (struct cli_evidence){.port = port};
    q2p_drive_memory(&evidence->alloc);
    struct q2p__table *const tables[] = {&evidence->endpoints, &evidence->pairs,
                                         &evidence->sendings};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        q2p__table_init(tables[i], &evidence->alloc, evidence->secret);
    q2p__table_shape(&evidence->endpoints, offsetof(struct cli_endpoint, addr),
                     sizeof(struct q2p_addr), max);
    q2p__table_shape(&evidence->pairs, offsetof(struct cli_pair, key), sizeof(struct cli_pair_key),
                     max);
    q2p__table_shape(&evidence->sendings, offsetof(struct cli_sending, key),
                     sizeof(struct cli_sending_key), max);
}

static void free_all(struct q2p__table *table)
{
    uint32_t cursor = 0;
    void *item;
    while ((item = q2p__table_next(table, &cursor)))
        free(item);
    q2p__table_clear(table);
}

void cli_evidence_clear(struct cli_evidence *evidence)
{
    free_all(&evidence->endpoints);
    free_all(&evidence->pairs);
    memset(evidence->found, 0, sizeof evidence->found);
    q2p__table_clear(&evidence->sendings);
}

struct cli_endpoint *cli_evidence_endpoint(const struct cli_evidence *evidence,
                                           const struct q2p_addr *addr)
{
    return q2p__table_find(&evidence->endpoints, addr);
}

struct cli_pair *cli_evidence_pair(const struct cli_evidence *evidence, const struct q2p_addr *from,
                                   const struct q2p_addr *to)
{
    struct cli_pair_key key = {*from, *to};
    return q2p__table_find(&evidence->pairs, &key);
}

struct cli_sending *cli_evidence_sending(const struct cli_evidence *evidence,
                                         const struct q2p_addr *src, const struct q2p_addr *dst,
                                         const uint8_t *hash)
{
    struct cli_sending_key key = {.src = *src, .dst = *dst};
    memcpy(key.hash.bytes, hash, Q2P_HASH_LEN);
    return q2p__table_find(&evidence->sendings, &key);
}

bool cli_evidence_node(const struct cli_evidence *evidence, const struct q2p_addr *addr)
{
    const struct cli_endpoint *endpoint = q2p__table_find(&evidence->endpoints, addr);
    return endpoint && endpoint->proven;
}

/* ---- which dialect -------------------------------------------------------------------------- */

/*
 * The messages that only their context tells apart answer a transmission, or belong to one: with
 * its key, in its dialect (PROTOCOL.md 4).
 */
static enum q2p_dialect dialect_of_sending(const struct cli_evidence *evidence,
                                           const struct cli_datagram *in)
{
    for (int each = Q2P_DIALECT_EARLY; each <= Q2P_DIALECT_OPTIONS; each++) {
        struct q2p_packet packet;
        int status = q2p_wire_read(&packet, (enum q2p_dialect)each, in->bytes, in->have, in->total);
        if ((!cli_readable(status) && status != Q2P_ERR_OVERSIZE) || !packet.hash_at.len)
            continue;
        const uint8_t *hash = in->bytes + packet.hash_at.at;
        const struct cli_sending *sending =
            packet.event == Q2P_EV_TRANSPORT
                ? cli_evidence_sending(evidence, &in->src, &in->dst, hash)
                : cli_evidence_sending(evidence, &in->dst, &in->src, hash);
        if (sending && sending->dialect == packet.dialect)
            return packet.dialect;
    }
    return Q2P_DIALECT_UNKNOWN;
}

/* The first dialect in which it is well-formed, best without bytes that trail; classic if there is
 * none. */
static enum q2p_dialect guess(const struct cli_datagram *in)
{
    static const enum q2p_dialect order[] = {Q2P_DIALECT_CLASSIC, Q2P_DIALECT_OPTIONS,
                                             Q2P_DIALECT_EARLY};
    enum q2p_dialect second = Q2P_DIALECT_UNKNOWN;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        struct q2p_packet packet;
        if (!cli_readable(q2p_wire_read(&packet, order[i], in->bytes, in->have, in->total)))
            continue;
        if (!packet.trailing_at.len)
            return order[i];
        if (second == Q2P_DIALECT_UNKNOWN)
            second = order[i];
    }
    return second == Q2P_DIALECT_UNKNOWN ? Q2P_DIALECT_CLASSIC : second;
}

enum q2p_dialect cli_evidence_habit(const struct cli_view *view)
{
    const enum q2p_dialect known[] = {
        view->pair ? view->pair->dialect : Q2P_DIALECT_UNKNOWN,
        view->back ? view->back->dialect : Q2P_DIALECT_UNKNOWN,
        view->src ? view->src->dialect : Q2P_DIALECT_UNKNOWN,
        view->dst ? view->dst->dialect : Q2P_DIALECT_UNKNOWN,
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i] != Q2P_DIALECT_UNKNOWN)
            return known[i];
    return Q2P_DIALECT_UNKNOWN;
}

/* Any spread will do: a wrong place is only slower. */
static size_t place_of(const struct cli_datagram *in)
{
    uint64_t a, b, c, d;
    memcpy(&a, in->src.ip, sizeof a);
    memcpy(&b, in->dst.ip, sizeof b);
    memcpy(&c, in->src.ip + sizeof a, sizeof c);
    memcpy(&d, in->dst.ip + sizeof b, sizeof d);
    a += c + in->src.port + in->src.scope_id;
    b += d + in->dst.port;
    return (size_t)((a * 31 + b) * 0x9e3779b97f4a7c15u >> 32) % CLI_FOUND_MAX;
}

/* Items of these tables stay for good, so that what was found once is found again. */
static void find_ends(struct cli_evidence *evidence, const struct cli_datagram *in,
                      struct cli_view *view)
{
    struct cli_found *found = &evidence->found[place_of(in)];
    if (memcmp(&found->key.from, &in->src, sizeof in->src) != 0 ||
        memcmp(&found->key.to, &in->dst, sizeof in->dst) != 0)
        *found = (struct cli_found){.key = {in->src, in->dst}};
    uint32_t known = evidence->endpoints.used + evidence->pairs.used;
    if (found->known != known) { /* somebody is new: perhaps one of those not found */
        found->known = known;
        if (!found->src)
            found->src = cli_evidence_endpoint(evidence, &in->src);
        if (!found->dst)
            found->dst = cli_evidence_endpoint(evidence, &in->dst);
        if (!found->pair)
            found->pair = cli_evidence_pair(evidence, &in->src, &in->dst);
        if (!found->back)
            found->back = cli_evidence_pair(evidence, &in->dst, &in->src);
    }
    view->src = found->src;
    view->dst = found->dst;
    view->pair = found->pair;
    view->back = found->back;
}

/* A fragment of what began last between the two: the way of most datagrams. */
static bool is_next_fragment(struct cli_view *view)
{
    const struct cli_datagram *in = view->in;
    struct cli_sending *recent = view->pair ? view->pair->recent : NULL;
    if (!recent || !view->src || !view->dst || in->have < Q2P_HEADER_LEN + Q2P_HASH_LEN ||
        memcmp(in->bytes + Q2P_HEADER_LEN, recent->key.hash.bytes, Q2P_HASH_LEN) != 0)
        return false;
    view->status = q2p_wire_read(&view->packet, recent->dialect, in->bytes, in->have, in->total);
    if (view->packet.event != Q2P_EV_TRANSPORT || !cli_readable(view->status))
        return false;
    view->proven = recent->dialect;
    view->likeness = Q2P_LIKENESS_STRONG;
    view->sending = recent;
    return true;
}

bool cli_evidence_look(struct cli_evidence *evidence, const struct cli_datagram *in,
                       struct cli_view *view)
{
    view->in = in;
    view->sending = NULL;
    view->proven = Q2P_DIALECT_UNKNOWN;
    find_ends(evidence, in, view);
    if (is_next_fragment(view))
        return true;
    view->likeness = q2p_wire_likeness(in->bytes, in->have, in->total);
    view->proven = dialect_of_sending(evidence, in);
    uint16_t port = evidence->port;
    if (view->likeness == Q2P_LIKENESS_NONE && view->proven == Q2P_DIALECT_UNKNOWN &&
        in->src.port != port && in->dst.port != port)
        return false; /* also between nodes: there, it is for others to read */
    if (view->proven != Q2P_DIALECT_UNKNOWN)
        view->likeness = Q2P_LIKENESS_STRONG; /* nobody else has 16 bytes in common with a key */
    else if (view->likeness != Q2P_LIKENESS_NONE)
        view->proven = q2p_wire_dialect(in->bytes, in->have, in->total);
    enum q2p_dialect dialect = view->proven;
    if (dialect == Q2P_DIALECT_UNKNOWN)
        dialect = cli_evidence_habit(view);
    if (dialect == Q2P_DIALECT_UNKNOWN)
        dialect = guess(in);
    view->status = q2p_wire_read(&view->packet, dialect, in->bytes, in->have, in->total);
    return true;
}

static void *add(struct q2p__table *table, size_t size, const void *key, size_t key_len)
{
    void *item = calloc(1, size);
    if (!item)
        return NULL;
    memcpy((char *)item + table->key_at, key, key_len);
    if (q2p__table_add(table, item) == Q2P_OK)
        return item;
    free(item);
    return NULL;
}

static bool learn_named(struct cli_evidence *evidence, const struct q2p_addr *addr)
{
    struct cli_endpoint *named = cli_evidence_endpoint(evidence, addr);
    if (!named)
        named = add(&evidence->endpoints, sizeof *named, addr, sizeof *addr);
    if (named)
        named->proven = true;
    return named != NULL;
}

bool cli_evidence_learn(struct cli_evidence *evidence, struct cli_view *view)
{
    const struct cli_datagram *in = view->in;
    struct cli_pair_key key = {in->src, in->dst};
    if (!view->src)
        view->src = add(&evidence->endpoints, sizeof *view->src, &in->src, sizeof in->src);
    if (!view->dst) /* which may be the same */
        view->dst = cli_evidence_endpoint(evidence, &in->dst);
    if (!view->dst)
        view->dst = add(&evidence->endpoints, sizeof *view->dst, &in->dst, sizeof in->dst);
    if (!view->pair)
        view->pair = add(&evidence->pairs, sizeof *view->pair, &key, sizeof key);
    if (!view->src || !view->dst || !view->pair)
        return false;

    if (view->likeness == Q2P_LIKENESS_STRONG)
        view->src->proven = true;
    if (view->likeness != Q2P_LIKENESS_NONE) {
        view->src->proven = view->src->proven || in->src.port == evidence->port;
        view->dst->proven = view->dst->proven || in->dst.port == evidence->port;
        /* whoever says something sensible to a node is one, too */
        view->src->proven = view->src->proven || view->dst->proven;
    }
    /* and whoever a node sends others to */
    struct q2p_addr named = view->packet.address;
    named.scope_id = in->src.scope_id; /* at the same interface */
    if (view->src->proven && view->status == Q2P_OK && named.ip_len &&
        !learn_named(evidence, &named))
        return false;
    view->pair->datagrams++;
    if (cli_readable(view->status))
        view->src->network_id = view->packet.network_id;
    if (view->proven == Q2P_DIALECT_UNKNOWN)
        return true;
    view->src->dialect = view->pair->dialect = view->proven;
    if (view->proven == Q2P_DIALECT_OPTIONS)
        view->pair->options = true;
    else
        view->src->classic = true;
    return true;
}
