/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_leave.c - which fragment leaves next, and when: in turn over the paths to all peers and the
 * transmissions on each, repairs before what has not left yet (PROTOCOL.md 6.3, 6.6, 6.9).
 * Fragments are written from the caller's buffer, which is never copied.
 */
#include "q2p_send.h"

#include <assert.h>

/* Passes over all fragments end in time for the last one, which is held back: an original receiver
 * with its own timers gives up 6 s after OPTIONS. */
#define PASSES_NS (5 * Q2P_SECOND)
#define GIVEN_UP_NS (6 * Q2P_SECOND)
#define AHEAD 8 /* fragments */

/* ---- the rate of the node ---- */

static q2p_time cost(const q2p_node *node, size_t bytes)
{
    return node->config.rate ? (q2p_time)bytes * Q2P_SECOND / node->config.rate : 0;
}

static q2p_time depth(const q2p_node *node)
{
    return cost(node, (size_t)node->config.burst * Q2P_DATAGRAM_MAX);
}

/* A quarter of a burst at a time: waking for every datagram would cost more than sending it. */
static q2p_time next_use(const q2p_node *node)
{
    return node->paced_at + (node->config.burst > 4 ? depth(node) / 4 : depth(node));
}

q2p_time q2p__leave_deadline(const q2p_node *node)
{
    if (!q2p__list_empty(&node->ready))
        return node->stalled_at;
    return q2p__list_empty(&node->sending) ? Q2P_NEVER : next_use(node);
}

/* What all paths together may use. */
static bool may_use(q2p_node *node, q2p_time now)
{
    q2p__allow(&node->paced_at, now, 0, depth(node));
    return node->paced_at + cost(node, Q2P_DATAGRAM_MAX) <= now;
}

/* ---- which one ---- */

uint64_t q2p__send_plan(const q2p_node *node, struct q2p__outgoing *outgoing)
{
    unsigned passes = q2p__path_passes(outgoing->path, outgoing->total, node->config.passes_max);

    outgoing->passes++;
    outgoing->passes_left = (uint8_t)(passes > outgoing->passes ? passes - outgoing->passes : 0);
    return (uint64_t)outgoing->total * passes;
}

static bool makes_passes(const q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    if (!outgoing->path || outgoing->listed || outgoing->next + 1 != outgoing->total ||
        outgoing->total == 1)
        return false;
    if (outgoing->passes == 0)
        q2p__send_plan(node, outgoing);
    return outgoing->passes_left > 0 && now - outgoing->asked_at < PASSES_NS;
}

static uint32_t next_of_pass(const q2p_node *node, struct q2p__outgoing *outgoing)
{
    uint32_t syn = outgoing->pass_next++;

    if (outgoing->pass_next + 1 == outgoing->total) {
        outgoing->pass_next = 0;
        q2p__send_plan(node, outgoing); /* by now more is known of what may be lost */
    }
    return syn;
}

/* After a fragment has left: whose turn is it, and what is done? */
static void advance(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    if (outgoing->state == Q2P__OUTGOING_SENDING && outgoing->next == outgoing->total) {
        q2p__send_tell(node, outgoing, Q2P_ON_SENT);
        outgoing->state = Q2P__OUTGOING_KEPT;
        if (outgoing->path && outgoing->path->contact->fell_short > 0)
            outgoing->path->contact->fell_short--;
    }
    if (outgoing->again_count == 0 && outgoing->repairing) {
        q2p__send_tell(node, outgoing, Q2P_ON_RESTORED);
        outgoing->repairing = false;
    }
    if (outgoing->state == Q2P__OUTGOING_SENDING || outgoing->again_count > 0) {
        q2p__list_append(outgoing->path ? &outgoing->path->sending : &node->sending,
                         &outgoing->link); /* the others' turn */
        return;
    }
    q2p__list_drop(&outgoing->link);
    q2p__send_ask(node, now, outgoing);
    q2p__send_keep(node, now, outgoing);
}

/* A message comes from memory, not from a cache: waiting for it is a quarter of what a sender
 * costs, unless it is asked for while what is before it leaves. */
static void fetch_ahead(const struct q2p__outgoing *outgoing, uint32_t syn)
{
    if (outgoing->total - syn > AHEAD + 1)
        q2p__fetch(outgoing->data + (size_t)(syn + AHEAD) * Q2P_FRAGMENT_LEN, Q2P_FRAGMENT_LEN);
}

/* Does the next fragment open a transmission at a classic receiver? The first one does; and so does
 * the first repair where an original has given up and that was lost: the ghost has a timer, too. */
static bool opens(q2p_time now, const struct q2p__outgoing *outgoing)
{
    if (!outgoing->path || outgoing->dialect != Q2P_DIALECT_CLASSIC)
        return false;
    if (outgoing->again_count == 0)
        return outgoing->next == 0;
    return !outgoing->mended && now - outgoing->asked_at >= GIVEN_UP_NS;
}

static int write_fragment(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing,
                          const struct q2p__sheet *sheet)
{
    static const struct q2p_message nothing; /* copied as in q2p_wire_read */
    struct q2p_message message = nothing;
    bool resent = true;

    if (opens(now, outgoing))
        q2p__path_opens(now, outgoing->path, outgoing->total);
    if (outgoing->again_count > 0) {
        message.syn = q2p__repair_next(node, now, outgoing);
    } else if (makes_passes(node, now, outgoing)) {
        message.syn = next_of_pass(node, outgoing);
    } else {
        message.syn = outgoing->next++;
        resent = false;
    }
    fetch_ahead(outgoing, message.syn);
    message.event = Q2P_EV_TRANSPORT;
    message.network_id = node->config.network_id;
    message.length = outgoing->length; /* in a resend, too: 0 kills an original (PROTOCOL.md 6.6) */
    message.hash = outgoing->key.hash;
    message.body = outgoing->data + (size_t)message.syn * Q2P_FRAGMENT_LEN;
    message.body_len = q2p_wire_share(outgoing->length, message.syn);
    q2p__write(sheet, &outgoing->key.peer, outgoing->dialect, &message);
    node->paced_at += cost(node, sheet->out->len);
    node->counters.fragments_out++;
    node->counters.fragments_resent += resent;
    if (outgoing->path)
        q2p__path_sent(now, outgoing->path);
    advance(node, now, outgoing);
    return 1;
}

static struct q2p_message options_of(const q2p_node *node, const struct q2p__outgoing *outgoing)
{
    return (struct q2p_message){.event = Q2P_EV_OPTIONS,
                                .network_id = node->config.network_id,
                                .length = outgoing->length,
                                .hash = outgoing->key.hash};
}

static int write_probe(q2p_node *node, q2p_time now, const struct q2p__outgoing *outgoing,
                       const struct q2p__sheet *sheet)
{
    const struct q2p__contact *contact = outgoing->path->contact;
    const struct q2p__probe *probe;
    /* somebody else may have said in its name that it knows the extension */
    bool plain = !contact->extends || (!contact->proven && outgoing->path->backoff > 0);
    struct q2p_message message = options_of(node, outgoing);

    probe = q2p__path_probe(node, now, outgoing->path, plain);
    message.extended = !plain;
    message.token = probe->token;
    if (probe->alone) { /* an answer to the one before, which is late, would look the same */
        q2p__path_key(node, probe, &message.hash);
        message.length = 0;
    }
    return q2p__write(sheet, &outgoing->key.peer, Q2P_DIALECT_OPTIONS, &message);
}

/* All further passes depend on what the answers to these show to be lost. */
static int write_question(q2p_node *node, const struct q2p__outgoing *outgoing,
                          const struct q2p__sheet *sheet)
{
    struct q2p_message message = options_of(node, outgoing);

    q2p__path_ask(outgoing->path);
    return q2p__write(sheet, &outgoing->key.peer, Q2P_DIALECT_OPTIONS, &message);
}

/* ---- output ---- */

/* From the path whose turn it is; 0 if nothing may leave there now. */
static int from_path(q2p_node *node, q2p_time now, struct q2p__path *path,
                     const struct q2p__sheet *sheet)
{
    struct q2p__outgoing *outgoing;

    if (q2p__list_empty(&path->sending)) {
        q2p__path_idle(node, path);
        return 0;
    }
    outgoing = Q2P__LIST_ITEM(path->sending.next, struct q2p__outgoing, link);
    if (q2p__send_is_vain(outgoing)) {
        q2p__heap_set(&node->timers, &path->timer, now); /* which ends it */
        return 0;
    }
    if (outgoing->dialect == Q2P_DIALECT_OPTIONS && q2p__path_wants_probe(path, now))
        return write_probe(node, now, outgoing, sheet);
    if (outgoing->dialect == Q2P_DIALECT_OPTIONS && outgoing->state == Q2P__OUTGOING_SENDING &&
        q2p__path_wants_count(path))
        return write_question(node, outgoing, sheet);
    if (!q2p__path_may_send(node, now, path))
        return 0;
    if (!may_use(node, now)) {
        q2p__heap_set(&node->timers, &path->timer, next_use(node));
        return 0;
    }
    return write_fragment(node, now, outgoing, sheet);
}

int q2p__leave_output(q2p_node *node, q2p_time now, const struct q2p__sheet *sheet)
{
    if (q2p__news_reserve(node, 2) != Q2P_OK) {
        node->stalled_at = now + Q2P__SHORT_OF_MEMORY_NS;
        return 0;
    }
    node->stalled_at = Q2P__LONG_AGO;
    while (!q2p__list_empty(&node->ready)) {
        struct q2p__path *path = Q2P__LIST_ITEM(node->ready.next, struct q2p__path, link);

        if (from_path(node, now, path, sheet)) {
            q2p__list_append(&node->ready, &path->link); /* the others' turn */
            return 1;
        }
        q2p__list_drop(&path->link);
    }
    if (q2p__list_empty(&node->sending) || !may_use(node, now))
        return 0;
    return write_fragment(node, now, Q2P__LIST_ITEM(node->sending.next, struct q2p__outgoing, link),
                          sheet);
}
