/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_send.c - outgoing transmissions. Q2P acknowledges nothing: a transmission that left is kept
 * for repairs until it has been quiet for long enough, then the data is the caller's again.
 */
#include "q2p_send.h"

#include <string.h>

#include "q2p_contact.h"
#include "q2p_key.h"

/* Who gives up cannot ask in time: for so many transmissions passes are made in advance. */
#define FELL_SHORT 8
#define MORE_LACKED 50 /* of 1000 */
#define LACKED_MAX 300

/* ---- helpers ---- */

static struct q2p__outgoing *find(const q2p_node *node, const struct q2p_addr *to,
                                  const struct q2p_hash *hash)
{
    struct q2p__key key = {*to, *hash};

    return q2p__table_find(&node->outgoing, &key);
}

static void forget(q2p_node *node, struct q2p__outgoing *outgoing)
{
    q2p__heap_release(&node->timers, &outgoing->timer);
    q2p__table_drop(&node->outgoing, outgoing);
    q2p__list_drop(&outgoing->link);
    q2p__repair_free(node, outgoing);
    if (outgoing->path)
        q2p__path_leave(node, outgoing->path);
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

void q2p__send_tell(q2p_node *node, const struct q2p__outgoing *outgoing, enum q2p_on on)
{
    q2p__news_tell(node, &(struct q2p_happening){.on = on,
                                                 .peer = outgoing->key.peer,
                                                 .dialect = outgoing->dialect,
                                                 .hash = outgoing->key.hash,
                                                 .length = outgoing->length,
                                                 .data = outgoing->data,
                                                 .data_len = outgoing->length});
}

void q2p__send_end(q2p_node *node, struct q2p__outgoing *outgoing, enum q2p_on on)
{
    q2p__send_tell(node, outgoing, on);
    forget(node, outgoing);
}

void q2p__send_given_up(q2p_node *node, struct q2p__outgoing *outgoing)
{
    if (outgoing->path) {
        struct q2p__contact *contact = outgoing->path->contact;
        uint64_t lacked = contact->lacked;

        if (outgoing->lacks > 0)
            lacked = outgoing->lacks * UINT64_C(1000) / outgoing->total;
        else /* passes were too few, or its list was lost, as long ones are */
            lacked = lacked < MORE_LACKED ? 2 * MORE_LACKED : lacked + MORE_LACKED;
        contact->lacked = (uint16_t)(lacked < LACKED_MAX ? lacked : LACKED_MAX);
        contact->fell_short = FELL_SHORT;
    }
    q2p__send_end(node, outgoing, Q2P_ON_FAILED);
}

void q2p__send_ask(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    struct q2p__note note = {.to = outgoing->key.peer,
                             .hash = outgoing->key.hash,
                             .length = outgoing->length,
                             .event = Q2P_EV_OPTIONS,
                             .dialect = Q2P_DIALECT_OPTIONS,
                             .state = Q2P_STATE_COMPLETE,
                             .extended = true};

    if (!outgoing->path || outgoing->dialect != Q2P_DIALECT_OPTIONS ||
        !outgoing->path->contact->extends)
        return;
    note.token = q2p__path_probe(node, now, outgoing->path, false)->token;
    q2p__say(node, &note);
}

static void wait_kept(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    q2p_time at = outgoing->kept_until;

    if (outgoing->path && outgoing->path->contact->extends &&
        outgoing->tries < node->config.retries_max) {
        q2p_time ask_at =
            q2p__later(now, q2p__doubled(q2p__path_patience(outgoing->path), outgoing->tries));

        at = ask_at < at ? ask_at : at;
    }
    q2p__heap_set(&node->timers, &outgoing->timer, at);
}

void q2p__send_keep(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    outgoing->state = Q2P__OUTGOING_KEPT;
    outgoing->kept_until = q2p__later(now, node->config.keep_ns);
    outgoing->tries = 0;
    wait_kept(node, now, outgoing);
}

void q2p__send_wake(q2p_node *node, struct q2p__outgoing *outgoing)
{
    if (outgoing->link.next == &outgoing->link)
        q2p__list_append(outgoing->path ? &outgoing->path->sending : &node->sending,
                         &outgoing->link);
    if (outgoing->path)
        q2p__path_wake(node, outgoing->path);
}

/* ---- starting ---- */

/* Again once an answer is overdue: it harms nobody (PROTOCOL.md 6.3), and all waits for it. */
static void say_options(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    struct q2p__note note = {.to = outgoing->key.peer,
                             .hash = outgoing->key.hash,
                             .length = outgoing->length,
                             .event = Q2P_EV_OPTIONS,
                             .dialect = Q2P_DIALECT_OPTIONS};
    q2p_time wait_ns = node->config.retry_ns, at = outgoing->kept_until;

    if (outgoing->path && q2p__path_patience(outgoing->path) < wait_ns)
        wait_ns = q2p__path_patience(outgoing->path);
    wait_ns = q2p__doubled(wait_ns, outgoing->tries);
    if (node->config.persist && q2p__later(now, wait_ns) < at)
        at = q2p__later(now, wait_ns);
    q2p__say(node, &note);
    q2p__heap_set(&node->timers, &outgoing->timer, at);
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
    q2p__send_end(node, old, Q2P_ON_RELEASED);
    return Q2P_OK;
}

/* How long it takes to send a message as often as it may be, and to wait as long again. */
static q2p_time all_tries(const struct q2p_config *config)
{
    if (!config->persist)
        return q2p__doubled(config->retry_ns, config->retries_max);
    return q2p__doubled(config->retry_ns, config->retries_max + 1u) - config->retry_ns;
}

static void begin(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    if (outgoing->dialect == Q2P_DIALECT_OPTIONS) {
        outgoing->state = Q2P__OUTGOING_ASKING;
        outgoing->asked_at = now;
        outgoing->kept_until = q2p__later(now, all_tries(&node->config));
        say_options(node, now, outgoing);
    } else if (outgoing->total == 0) { /* nothing to say in this dialect: PROTOCOL.md 6.3 */
        q2p__send_tell(node, outgoing, Q2P_ON_SENT);
        q2p__send_end(node, outgoing, Q2P_ON_RELEASED);
    } else {
        outgoing->state = Q2P__OUTGOING_SENDING;
        outgoing->asked_at = now;
        if (outgoing->path)
            q2p__path_classic(node, now, outgoing->path, q2p__send_plan(node, outgoing));
        q2p__send_wake(node, outgoing);
    }
}

int q2p_node_send_hashed(q2p_node *node, q2p_time now, const struct q2p_addr *to,
                         const struct q2p_content *content, struct q2p_hash *hash)
{
    enum q2p_dialect dialect = q2p__contact_dialect(node, to);
    struct q2p__outgoing *outgoing;
    struct q2p__contact *contact;
    struct q2p__key key;
    int status;

    if (!q2p_addr_usable(to) || q2p__is_own(node, to))
        return Q2P_ERR_ADDRESS;
    if (content->len > UINT32_MAX)
        return Q2P_ERR_INVALID;
    status = q2p__news_reserve(node, Q2P__NEWS_INPUT);
    if (status != Q2P_OK)
        return status;
    memset(&key, 0, sizeof key);
    key.peer = *to;
    q2p__key_make(node, now, &key, content, dialect);
    /* Remember whom we wrote to, so that the answers can tell us its dialect. */
    status = q2p__contact_make(node, &contact, to);
    if (status == Q2P_OK)
        status = make_way(node, &key);
    if (status == Q2P_OK)
        status = make(node, &outgoing, &key);
    if (status == Q2P_OK && node->config.probe) {
        status = q2p__path_join(node, now, contact);
        if (status == Q2P_OK)
            outgoing->path = contact->path;
        else
            forget(node, outgoing);
    }
    if (status != Q2P_OK)
        return status;
    contact->called_at = now;
    outgoing->again_since = now;
    outgoing->data = content->data;
    outgoing->length = (uint32_t)content->len;
    outgoing->total = q2p_wire_fragments(outgoing->length);
    outgoing->dialect = dialect;
    if (hash)
        *hash = key.hash;
    begin(node, now, outgoing);
    return Q2P_OK;
}

int q2p_node_send(q2p_node *node, q2p_time now, const struct q2p_addr *to, const void *data,
                  size_t len, struct q2p_hash *hash)
{
    return q2p_node_send_hashed(node, now, to, &(struct q2p_content){data, len, NULL}, hash);
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
    bool asking = outgoing->state == Q2P__OUTGOING_ASKING;
    bool misunderstood = is_misunderstood(node, outgoing);

    if (misunderstood || now >= outgoing->kept_until) {
        q2p__send_end(node, outgoing, asking || misunderstood ? Q2P_ON_FAILED : Q2P_ON_RELEASED);
        return;
    }
    outgoing->tries++;
    if (asking) {
        say_options(node, now, outgoing);
    } else {
        q2p__send_ask(node, now, outgoing);
        wait_kept(node, now, outgoing);
    }
}

void q2p__send_path_tick(q2p_node *node, q2p_time now, struct q2p__path *path)
{
    bool alive = q2p__path_tick(node, now, path);
    struct q2p__outgoing *first;

    if (q2p__list_empty(&path->sending))
        return;
    first = Q2P__LIST_ITEM(path->sending.next, struct q2p__outgoing, link);
    if (alive && !q2p__send_is_vain(first))
        return;
    /* one at a time: there is room for so many happenings */
    q2p__heap_set(&node->timers, &path->timer, now);
    q2p__send_end(node, first, Q2P_ON_FAILED);
}

/* ---- what the peer says ---- */

/* It is open at the receiver: all there is to send may go. */
static void start_sending(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing)
{
    if (outgoing->path)
        q2p__path_opened(now, outgoing->path, now - outgoing->asked_at, outgoing->tries);
    outgoing->asked_at = now;
    if (outgoing->total == 0) {
        q2p__send_tell(node, outgoing, Q2P_ON_SENT);
        q2p__send_keep(node, now, outgoing);
        return;
    }
    outgoing->state = Q2P__OUTGOING_SENDING;
    q2p__heap_set(&node->timers, &outgoing->timer, Q2P_NEVER);
    q2p__send_wake(node, outgoing);
}

/* Of no transmission: perhaps of a probe that has a key of its own. */
static int answered_alone(q2p_node *node, q2p_time now, const struct q2p__key *key,
                          const struct q2p_packet *packet)
{
    struct q2p__contact *contact = q2p__contact_find(node, &key->peer);

    if (!contact || !contact->path || packet->token_at.len > 0)
        return Q2P_ERR_ABSENT;
    return q2p__path_alone(node, now, contact->path, &key->hash);
}

int q2p__send_answered(q2p_node *node, q2p_time now, const struct q2p__key *key,
                       const struct q2p_packet *packet)
{
    struct q2p__outgoing *outgoing = q2p__table_recall(&node->outgoing, key);
    bool extended = packet->token_at.len > 0;

    if (!outgoing)
        return answered_alone(node, now, key, packet);
    if (outgoing->dialect != Q2P_DIALECT_OPTIONS) {
        if (extended)
            return Q2P_ERR_ABSENT;
        q2p__send_given_up(node, outgoing);
        return Q2P_OK;
    }
    if (extended && (!outgoing->path || !node->config.extend))
        return Q2P_ERR_ABSENT;
    if (extended) {
        outgoing->path->contact->extends = true;
        if (q2p__path_answered(node, now, outgoing->path, packet))
            q2p__repair_settled(outgoing);
        if (packet->state == Q2P_STATE_COMPLETE) {
            q2p__send_tell(node, outgoing, Q2P_ON_ARRIVED);
            q2p__send_end(node, outgoing, Q2P_ON_RELEASED);
            return Q2P_OK;
        }
        if (outgoing->state == Q2P__OUTGOING_KEPT && outgoing->again_count == 0)
            wait_kept(node, now, outgoing);
    }
    if (outgoing->state == Q2P__OUTGOING_ASKING)
        start_sending(node, now, outgoing);
    else if (!extended && outgoing->path)
        q2p__path_answered(node, now, outgoing->path, packet);
    return Q2P_OK; /* our OPTIONS were repeated, so are the answers */
}
