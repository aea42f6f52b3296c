/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_repair.c - what receivers report lost, and which fragments leave again for it (PROTOCOL.md
 * 6.5, 6.6). Each is queued once, not sooner again than its repair can have arrived, and not more
 * often than all together may be.
 */
#include "q2p_send.h"

#include <assert.h>
#include <string.h>

/* A peer may have every fragment sent again so many times, on average, before it is not heeded. */
#define REPAIRS_MAX 4

static size_t bits_words(const struct q2p__outgoing *outgoing)
{
    return ((size_t)outgoing->total + 63) / 64;
}

static size_t bits_len(const struct q2p__outgoing *outgoing)
{
    return 4 * bits_words(outgoing) * sizeof *outgoing->again;
}

static int need_bits(q2p_node *node, struct q2p__outgoing *outgoing)
{
    if (outgoing->again)
        return Q2P_OK;
    outgoing->again = q2p__resize(node, NULL, 0, bits_len(outgoing));
    if (!outgoing->again)
        return Q2P_ERR_MEMORY;
    memset(outgoing->again, 0, bits_len(outgoing));
    return Q2P_OK;
}

void q2p__repair_free(q2p_node *node, struct q2p__outgoing *outgoing)
{
    if (outgoing->again)
        q2p__resize(node, outgoing->again, bits_len(outgoing), 0);
    outgoing->again = NULL;
}

static bool queue_again(q2p_node *node, struct q2p__outgoing *outgoing, uint32_t syn)
{
    if (syn >= outgoing->next || q2p__bit_has(outgoing->again, syn))
        return false; /* it is going to leave anyway */
    q2p__bit_put(outgoing->again, syn);
    outgoing->again_count++;
    q2p__heap_set(&node->timers, &outgoing->timer, Q2P_NEVER);
    q2p__send_wake(node, outgoing);
    return true;
}

/*
 * Reports may repeat each other, and forged ones do. With probes a fragment leaves again once in 1
 * to 3/2 of a round trip, after which a receiver that still misses it asks again; without them it
 * is reported once in half a list's distance.
 */
static void forget_sent_again(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    size_t words = bits_words(outgoing), len = words * sizeof *outgoing->again;
    uint64_t *lately = outgoing->again + words;
    bool probed = outgoing->path && outgoing->dialect == Q2P_DIALECT_OPTIONS;
    q2p_time period_ns = probed ? outgoing->path->rtt / 2 + 1 : node->config.lost_ns / 2;
    q2p_time periods = (now - outgoing->again_since) / period_ns;

    if (periods == 0)
        return;
    if (!probed || periods > 2)
        periods = 3;
    memmove(lately + periods * (q2p_time)words, lately, (size_t)(3 - periods) * len);
    memset(lately, 0, (size_t)periods * len);
    outgoing->again_since = now;
}

void q2p__repair_settled(struct q2p__outgoing *outgoing)
{
    size_t words = bits_words(outgoing);

    if (outgoing->again)
        memset(outgoing->again + words, 0, 3 * words * sizeof *outgoing->again);
}

static bool was_sent_again(const struct q2p__outgoing *outgoing, uint32_t syn)
{
    size_t words = bits_words(outgoing);
    const uint64_t *lately = outgoing->again + words;

    return q2p__bit_has(lately, syn) || q2p__bit_has(lately + words, syn) ||
           q2p__bit_has(lately + 2 * words, syn);
}

static int tell_lost(q2p_node *node, const struct q2p__outgoing *outgoing, const uint32_t *syns,
                     size_t count)
{
    struct q2p__news news = {.lent.extra_room = count * sizeof *syns};
    uint32_t *copy;
    int status = q2p__news_reserve(node, 1);

    if (status != Q2P_OK)
        return status;
    copy = q2p__resize(node, NULL, 0, news.lent.extra_room);
    if (!copy)
        return Q2P_ERR_MEMORY;
    memcpy(copy, syns, news.lent.extra_room);
    news.lent.extra = copy;
    news.told = (struct q2p_happening){.on = Q2P_ON_LOST,
                                       .peer = outgoing->key.peer,
                                       .dialect = outgoing->dialect,
                                       .hash = outgoing->key.hash,
                                       .length = outgoing->length,
                                       .syns = copy,
                                       .syns_count = count,
                                       .missing = (uint32_t)count};
    q2p__news_give(node, &news);
    return Q2P_OK;
}

/* One happening's worth of a list. */
static int take_lost(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing,
                     const uint32_t *syns, size_t count)
{
    int status = tell_lost(node, outgoing, syns, count);

    if (status != Q2P_OK)
        return status;
    outgoing->listed = true;
    if (outgoing->path)
        q2p__path_lost(node, now, outgoing->path, count);
    for (size_t i = 0; i < count && node->config.repair; i++) {
        if (outgoing->repairs >= (uint64_t)outgoing->total * REPAIRS_MAX)
            node->counters.limited++;
        else if (queue_again(node, outgoing, syns[i]))
            outgoing->repairs++;
    }
    if (node->config.repair && outgoing->again_count > 0)
        outgoing->repairing = true;
    return Q2P_OK;
}

/* The original reads 123 SYNs of a list and sends up to 16,371: all are taken here, as long as
 * there is room for the happenings. Forged ones cost at most the repairs that a peer has free. */
int q2p__repair_list(q2p_node *node, q2p_time now, const struct q2p__key *key,
                     const struct q2p_packet *packet, const uint8_t *bytes)
{
    struct q2p__outgoing *outgoing = q2p__table_find(&node->outgoing, key);
    uint32_t syns[Q2P_SYNS_MAX];
    size_t count = 0;
    int status;

    if (!outgoing || outgoing->dialect != packet->dialect)
        return Q2P_ERR_ABSENT;
    if (packet->lost_count == 0) {
        q2p__send_given_up(node, outgoing);
        return Q2P_OK;
    }
    if (outgoing->state == Q2P__OUTGOING_ASKING) /* its answer was lost: it asks for everything */
        return q2p__send_answered(node, now, key, packet);
    if (outgoing->total == 0)
        return Q2P_ERR_SYN;
    if (need_bits(node, outgoing) != Q2P_OK)
        return Q2P_ERR_MEMORY;
    forget_sent_again(node, now, outgoing);
    status = Q2P_ERR_SYN;
    for (uint32_t i = 0; i < packet->lost_count; i++) {
        uint32_t syn = q2p_wire_lost(packet, bytes, i);

        if (syn >= outgoing->next)
            continue;
        status = Q2P_OK;
        if (was_sent_again(outgoing, syn) || q2p__bit_has(outgoing->again, syn))
            continue;
        q2p__bit_put(outgoing->again + bits_words(outgoing), syn);
        syns[count++] = syn;
        outgoing->lacks +=
            outgoing->passes == 1 && outgoing->next == outgoing->total && !outgoing->mended;
        if (count == Q2P_SYNS_MAX) {
            status = take_lost(node, now, outgoing, syns, count);
            count = 0;
            if (status != Q2P_OK)
                break;
        }
    }
    if (count > 0)
        status = take_lost(node, now, outgoing, syns, count);
    /* as long as nothing is repaired, a list is a sign of need; else the repairs are, which end */
    if (status == Q2P_OK && outgoing->state == Q2P__OUTGOING_KEPT && !node->config.repair)
        q2p__send_keep(node, now, outgoing);
    return status;
}

int q2p_node_resend(q2p_node *node, q2p_time now, const struct q2p_addr *to,
                    const struct q2p_hash *hash, const uint32_t *syns, size_t count)
{
    struct q2p__key key = {*to, *hash};
    struct q2p__outgoing *outgoing = q2p__table_find(&node->outgoing, &key);
    int queued = 0;

    (void)now;
    if (!outgoing)
        return Q2P_ERR_ABSENT;
    for (size_t i = 0; i < count; i++)
        if (syns[i] >= outgoing->total)
            return Q2P_ERR_SYN;
    if (count > 0 && need_bits(node, outgoing) != Q2P_OK)
        return Q2P_ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        queued += queue_again(node, outgoing, syns[i]);
    return queued;
}

uint32_t q2p__repair_next(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    uint32_t syn = outgoing->again_cursor;

    assert(outgoing->again_count > 0);
    outgoing->mended = true;
    while (!q2p__bit_has(outgoing->again, syn)) {
        if (outgoing->again[syn / 64] >> (syn % 64) == 0)
            syn |= 63; /* none in the rest of this word */
        syn = syn + 1 < outgoing->total ? syn + 1 : 0;
    }
    q2p__bit_take(outgoing->again, syn);
    forget_sent_again(node, now, outgoing);
    q2p__bit_put(outgoing->again + bits_words(outgoing), syn);
    outgoing->again_count--;
    outgoing->again_cursor = syn;
    return syn;
}
