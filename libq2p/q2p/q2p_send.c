/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_send.c - outgoing transmissions. Q2P acknowledges nothing: a transmission that left is kept
 * for repairs until it has been quiet for long enough, then the data is the caller's again.
 */
#include "q2p_send.h"

#include <assert.h>
#include <nettle/md5.h>
#include <string.h>

#include "q2p_contact.h"

/* A peer may have every fragment sent again so many times, on average, before it is not heeded. */
#define REPAIRS_MAX 4

/* ---- helpers ---- */

static void make_key(struct q2p__key *out, const struct q2p_addr *to, const void *data, size_t len,
                     enum q2p_dialect dialect)
{
    struct md5_ctx md5;

    md5_init(&md5);
    if (len > 0)
        md5_update(&md5, len, data);
    if (dialect == Q2P_DIALECT_OPTIONS) { /* PROTOCOL.md 6.1 */
        char text[Q2P_ADDR_TEXT_MAX];
        int text_len = q2p_addr_print(to, text, sizeof text);

        md5_update(&md5, (size_t)text_len, (const uint8_t *)text);
    }
    memset(out, 0, sizeof *out);
    out->peer = *to;
    md5_digest(&md5, sizeof out->hash.bytes, out->hash.bytes);
}

static struct q2p__outgoing *find(const q2p_node *node, const struct q2p_addr *to,
                                  const struct q2p_hash *hash)
{
    struct q2p__key key = {*to, *hash};

    return q2p__table_find(&node->outgoing, &key);
}

static size_t bits_words(const struct q2p__outgoing *outgoing)
{
    return ((size_t)outgoing->total + 63) / 64;
}

static size_t bits_len(const struct q2p__outgoing *outgoing)
{
    return 2 * bits_words(outgoing) * sizeof *outgoing->again;
}

static void forget(q2p_node *node, struct q2p__outgoing *outgoing)
{
    q2p__heap_release(&node->timers, &outgoing->timer);
    q2p__table_drop(&node->outgoing, outgoing);
    q2p__list_drop(&outgoing->link);
    if (outgoing->again)
        q2p__resize(node, outgoing->again, bits_len(outgoing), 0);
    q2p__resize(node, outgoing, sizeof *outgoing, 0);
}

void q2p__send_free_all(q2p_node *node)
{
    struct q2p__outgoing *outgoing;
    uint32_t cursor = 0;

    while ((outgoing = q2p__table_next(&node->outgoing, &cursor))) {
        forget(node, outgoing);
        cursor = 0;
    }
}

static void tell(q2p_node *node, const struct q2p__outgoing *outgoing, enum q2p_on on)
{
    q2p__news_tell(node, &(struct q2p_happening){.on = on,
                                                 .peer = outgoing->key.peer,
                                                 .dialect = outgoing->dialect,
                                                 .hash = outgoing->key.hash,
                                                 .length = outgoing->length,
                                                 .data = outgoing->data,
                                                 .data_len = outgoing->length});
}

static void end(q2p_node *node, struct q2p__outgoing *outgoing, enum q2p_on on)
{
    tell(node, outgoing, on);
    forget(node, outgoing);
}

static void keep(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    outgoing->state = Q2P__OUTGOING_KEPT;
    q2p__heap_set(&node->timers, &outgoing->timer, q2p__later(now, node->config.keep_ns));
}

/* ---- starting ---- */

static void say_options(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    struct q2p__note note = {.to = outgoing->key.peer,
                             .hash = outgoing->key.hash,
                             .length = outgoing->length,
                             .event = Q2P_EV_OPTIONS,
                             .dialect = Q2P_DIALECT_OPTIONS};
    q2p_time wait_ns = node->config.persist
                           ? q2p__doubled(node->config.retry_ns, outgoing->tries)
                           : q2p__doubled(node->config.retry_ns, node->config.retries_max);

    q2p__say(node, &note);
    q2p__heap_set(&node->timers, &outgoing->timer, q2p__later(now, wait_ns));
}

static int make(q2p_node *node, struct q2p__outgoing **out, const struct q2p__key *key)
{
    struct q2p__outgoing *outgoing = q2p__resize(node, NULL, 0, sizeof *outgoing);
    int status;

    if (!outgoing)
        return Q2P_ERR_MEMORY;
    memset(outgoing, 0, sizeof *outgoing);
    outgoing->key = *key;
    q2p__list_init(&outgoing->link);
    status = q2p__heap_claim(&node->timers, &outgoing->timer, Q2P__TIMER_OUTGOING);
    if (status != Q2P_OK) {
        q2p__resize(node, outgoing, sizeof *outgoing, 0);
        return status;
    }
    status = q2p__table_add(&node->outgoing, outgoing);
    if (status != Q2P_OK) {
        q2p__heap_release(&node->timers, &outgoing->timer);
        q2p__resize(node, outgoing, sizeof *outgoing, 0);
        return status;
    }
    *out = outgoing;
    return Q2P_OK;
}

/* Frees the way for the same bytes to the same peer, if they have all left before. */
static int make_way(q2p_node *node, const struct q2p__key *key)
{
    struct q2p__outgoing *old = q2p__table_find(&node->outgoing, key);

    if (!old)
        return Q2P_OK;
    if (old->state != Q2P__OUTGOING_KEPT || old->again_count > 0)
        return Q2P_ERR_BUSY;
    end(node, old, Q2P_ON_RELEASED);
    return Q2P_OK;
}

static void begin(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    if (outgoing->dialect == Q2P_DIALECT_OPTIONS) {
        outgoing->state = Q2P__OUTGOING_ASKING;
        say_options(node, now, outgoing);
    } else if (outgoing->total == 0) { /* nothing to say in this dialect: PROTOCOL.md 6.3 */
        tell(node, outgoing, Q2P_ON_SENT);
        end(node, outgoing, Q2P_ON_RELEASED);
    } else {
        outgoing->state = Q2P__OUTGOING_SENDING;
        q2p__list_append(&node->sending, &outgoing->link);
    }
}

int q2p_node_send(q2p_node *node, q2p_time now, const struct q2p_addr *to, const void *data,
                  size_t len, struct q2p_hash *hash)
{
    enum q2p_dialect dialect = q2p__contact_dialect(node, to);
    struct q2p__outgoing *outgoing;
    struct q2p__contact *contact;
    struct q2p__key key;
    int status;

    if (!q2p_addr_usable(to) || q2p__is_own(node, to))
        return Q2P_ERR_ADDRESS;
    if (len > UINT32_MAX)
        return Q2P_ERR_INVALID;
    status = q2p__news_reserve(node, Q2P__NEWS_INPUT);
    if (status != Q2P_OK)
        return status;
    make_key(&key, to, data, len, dialect);
    /* Remember whom we wrote to, so that the answers can tell us its dialect. */
    status = q2p__contact_make(node, &contact, to);
    if (status == Q2P_OK)
        status = make_way(node, &key);
    if (status == Q2P_OK)
        status = make(node, &outgoing, &key);
    if (status != Q2P_OK)
        return status;
    contact->called_at = now;
    outgoing->reported_since = now;
    outgoing->data = data;
    outgoing->length = (uint32_t)len;
    outgoing->total = q2p_wire_fragments(outgoing->length);
    outgoing->dialect = dialect;
    if (hash)
        *hash = key.hash;
    begin(node, now, outgoing);
    return Q2P_OK;
}

int q2p_node_cancel(q2p_node *node, const struct q2p_addr *to, const struct q2p_hash *hash)
{
    struct q2p__outgoing *outgoing = find(node, to, hash);

    if (!outgoing)
        return Q2P_ERR_ABSENT;
    forget(node, outgoing);
    return Q2P_OK;
}

/* Has the peer turned out to speak the other dialect? Then it understood nothing; and an old node
 * would even crash of OPTIONS. */
static bool is_misunderstood(const q2p_node *node, const struct q2p__outgoing *outgoing)
{
    const struct q2p__contact *contact = q2p__contact_find(node, &outgoing->key.peer);

    return contact && contact->dialect != Q2P_DIALECT_UNKNOWN &&
           contact->dialect != outgoing->dialect;
}

void q2p__send_tick(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    bool failed = outgoing->state == Q2P__OUTGOING_ASKING || is_misunderstood(node, outgoing);

    if (outgoing->state == Q2P__OUTGOING_ASKING && !is_misunderstood(node, outgoing) &&
        node->config.persist && outgoing->tries < node->config.retries_max) {
        outgoing->tries++;
        say_options(node, now, outgoing);
        return;
    }
    end(node, outgoing, failed ? Q2P_ON_FAILED : Q2P_ON_RELEASED);
}

/* ---- what the peer says ---- */

int q2p__send_answered(q2p_node *node, q2p_time now, const struct q2p__key *key)
{
    struct q2p__outgoing *outgoing = q2p__table_find(&node->outgoing, key);

    if (!outgoing)
        return Q2P_ERR_ABSENT;
    if (outgoing->dialect != Q2P_DIALECT_OPTIONS) {
        end(node, outgoing, Q2P_ON_FAILED);
        return Q2P_OK;
    }
    if (outgoing->state != Q2P__OUTGOING_ASKING)
        return Q2P_OK; /* our OPTIONS were repeated, so are the answers */
    if (outgoing->total == 0) {
        tell(node, outgoing, Q2P_ON_SENT);
        keep(node, now, outgoing);
        return Q2P_OK;
    }
    outgoing->state = Q2P__OUTGOING_SENDING;
    q2p__heap_set(&node->timers, &outgoing->timer, Q2P_NEVER);
    q2p__list_append(&node->sending, &outgoing->link);
    return Q2P_OK;
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

static bool queue_again(q2p_node *node, struct q2p__outgoing *outgoing, uint32_t syn)
{
    if (syn >= outgoing->next || q2p__bit_has(outgoing->again, syn))
        return false; /* it is going to leave anyway */
    q2p__bit_put(outgoing->again, syn);
    outgoing->again_count++;
    q2p__heap_set(&node->timers, &outgoing->timer, Q2P_NEVER);
    if (outgoing->link.next == &outgoing->link)
        q2p__list_append(&node->sending, &outgoing->link);
    return true;
}

/* Reports may repeat each other: a fragment is reported once in half a list's distance. */
static uint64_t *reported_of_late(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    uint64_t *reported = outgoing->again + bits_words(outgoing);

    if (now - outgoing->reported_since >= node->config.lost_ns / 2) {
        memset(reported, 0, bits_words(outgoing) * sizeof *reported);
        outgoing->reported_since = now;
    }
    return reported;
}

static int tell_lost(q2p_node *node, const struct q2p__outgoing *outgoing, const uint32_t *syns,
                     size_t count)
{
    struct q2p__news news = {.extra_room = count * sizeof *syns};
    uint32_t *copy;
    int status = q2p__news_reserve(node, 1);

    if (status != Q2P_OK)
        return status;
    copy = q2p__resize(node, NULL, 0, news.extra_room);
    if (!copy)
        return Q2P_ERR_MEMORY;
    memcpy(copy, syns, news.extra_room);
    news.extra = copy;
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
static int take_lost(q2p_node *node, struct q2p__outgoing *outgoing, const uint32_t *syns,
                     size_t count)
{
    int status = tell_lost(node, outgoing, syns, count);

    if (status != Q2P_OK)
        return status;
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
int q2p__send_list(q2p_node *node, q2p_time now, const struct q2p__key *key,
                   const struct q2p_packet *packet, const uint8_t *bytes)
{
    struct q2p__outgoing *outgoing = q2p__table_find(&node->outgoing, key);
    uint32_t syns[Q2P_SYNS_MAX];
    uint64_t *reported;
    size_t count = 0;
    int status;

    if (!outgoing || outgoing->dialect != packet->dialect)
        return Q2P_ERR_ABSENT;
    if (packet->lost_count == 0) {
        end(node, outgoing, Q2P_ON_FAILED);
        return Q2P_OK;
    }
    if (outgoing->state == Q2P__OUTGOING_ASKING) /* its answer was lost: it asks for everything */
        return q2p__send_answered(node, now, key);
    if (outgoing->total == 0)
        return Q2P_ERR_SYN;
    if (need_bits(node, outgoing) != Q2P_OK)
        return Q2P_ERR_MEMORY;
    reported = reported_of_late(node, now, outgoing);
    status = Q2P_ERR_SYN;
    for (uint32_t i = 0; i < packet->lost_count; i++) {
        uint32_t syn = q2p_wire_lost(packet, bytes, i);

        if (syn >= outgoing->next)
            continue;
        status = status == Q2P_ERR_SYN ? Q2P_OK : status;
        if (q2p__bit_has(reported, syn))
            continue;
        q2p__bit_put(reported, syn);
        syns[count++] = syn;
        if (count == Q2P_SYNS_MAX) {
            status = take_lost(node, outgoing, syns, count);
            count = 0;
            if (status != Q2P_OK)
                break;
        }
    }
    if (count > 0)
        status = take_lost(node, outgoing, syns, count);
    /* as long as nothing is repaired, a list is a sign of need; else the repairs are, which end */
    if (status == Q2P_OK && outgoing->state == Q2P__OUTGOING_KEPT && !node->config.repair)
        keep(node, now, outgoing);
    return status;
}

int q2p_node_resend(q2p_node *node, q2p_time now, const struct q2p_addr *to,
                    const struct q2p_hash *hash, const uint32_t *syns, size_t count)
{
    struct q2p__outgoing *outgoing = find(node, to, hash);
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

/* ---- output ---- */

static q2p_time cost(const q2p_node *node, size_t bytes)
{
    return node->config.rate ? (q2p_time)bytes * Q2P_SECOND / node->config.rate : 0;
}

static q2p_time depth(const q2p_node *node)
{
    return cost(node, (size_t)node->config.burst * Q2P_DATAGRAM_MAX);
}

q2p_time q2p__send_deadline(const q2p_node *node)
{
    if (q2p__list_empty(&node->sending))
        return Q2P_NEVER;
    /* a quarter of a burst at a time: waking for every datagram would cost more than sending it */
    return node->paced_at + (node->config.burst > 4 ? depth(node) / 4 : depth(node));
}

static uint32_t next_again(struct q2p__outgoing *outgoing)
{
    uint32_t syn = outgoing->again_cursor;

    assert(outgoing->again_count > 0);
    while (!q2p__bit_has(outgoing->again, syn)) {
        if (outgoing->again[syn / 64] >> (syn % 64) == 0)
            syn |= 63; /* none in the rest of this word */
        syn = syn + 1 < outgoing->total ? syn + 1 : 0;
    }
    q2p__bit_take(outgoing->again, syn);
    outgoing->again_count--;
    outgoing->again_cursor = syn;
    return syn;
}

/* After a fragment has left: whose turn is it, and what is done? */
static void advance(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    if (outgoing->state == Q2P__OUTGOING_SENDING && outgoing->next == outgoing->total) {
        tell(node, outgoing, Q2P_ON_SENT);
        outgoing->state = Q2P__OUTGOING_KEPT;
    }
    if (outgoing->again_count == 0 && outgoing->repairing) {
        tell(node, outgoing, Q2P_ON_RESTORED);
        outgoing->repairing = false;
    }
    if (outgoing->state == Q2P__OUTGOING_SENDING || outgoing->again_count > 0) {
        q2p__list_append(&node->sending, &outgoing->link); /* the others' turn */
        return;
    }
    q2p__list_drop(&outgoing->link);
    keep(node, now, outgoing);
}

int q2p__send_output(q2p_node *node, q2p_time now, struct q2p_datagram *out)
{
    struct q2p__outgoing *outgoing;
    struct q2p_message message = {.event = Q2P_EV_TRANSPORT, .network_id = node->config.network_id};
    bool resent;
    int len;

    if (q2p__list_empty(&node->sending) || q2p__news_reserve(node, 2) != Q2P_OK)
        return 0;
    outgoing = Q2P__LIST_ITEM(node->sending.next, struct q2p__outgoing, link);
    q2p__allow(&node->paced_at, now, 0, depth(node));
    if (node->paced_at + cost(node, Q2P_DATAGRAM_MAX) > now)
        return 0;
    resent = outgoing->again_count > 0;
    message.syn = resent ? next_again(outgoing) : outgoing->next++;
    message.length = outgoing->length; /* in a resend, too: 0 kills an original (PROTOCOL.md 6.6) */
    message.hash = outgoing->key.hash;
    message.body = outgoing->data + (size_t)message.syn * Q2P_FRAGMENT_LEN;
    message.body_len = q2p_wire_share(outgoing->length, message.syn);
    len = q2p_wire_write(node->bytes, sizeof node->bytes, outgoing->dialect, &message);
    assert(len > 0 && (size_t)len <= sizeof node->bytes);
    node->paced_at += cost(node, (size_t)len);
    node->counters.fragments_out++;
    node->counters.fragments_resent += resent;
    *out = (struct q2p_datagram){outgoing->key.peer, node->bytes, (size_t)len};
    advance(node, now, outgoing);
    return 1;
}
