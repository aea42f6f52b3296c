/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_recv.c - incoming transmissions. The original trusts length, number, size and source of
 * every fragment; here a fragment counts only if it comes from whom the transmission comes from
 * and is exactly its share of it, and the whole is checked against its key (PROTOCOL.md 6.4).
 */
#include "q2p_recv.h"

#include <string.h>

#include "q2p_key.h"
#include "q2p_report.h"

/* ---- beginning and end ---- */

static void charge(q2p_node *node, struct q2p__incoming *incoming, size_t before)
{
    struct q2p__contact *contact = incoming->contact;
    size_t after = q2p__pile_held(&incoming->pile);

    if (after == before)
        return;
    contact->memory = contact->memory - before + after;
    q2p__heap_set(&node->holders, &contact->holds, -(q2p_time)contact->memory);
    node->counters.memory = node->counters.memory - before + after;
    if (node->counters.memory > node->counters.memory_peak)
        node->counters.memory_peak = node->counters.memory;
}

void q2p__recv_forget(q2p_node *node, struct q2p__incoming *incoming)
{
    size_t before = q2p__pile_held(&incoming->pile);

    q2p__pile_free(&incoming->pile, &node->config.alloc);
    charge(node, incoming, before);
    incoming->contact->open--;
    q2p__heap_release(&node->timers, &incoming->timer);
    q2p__table_drop(&node->incoming, incoming);
    q2p__list_drop(&incoming->link);
    q2p__list_drop(&incoming->beside);
    q2p__list_drop(&incoming->report);
    q2p__resize(node, incoming, sizeof *incoming, 0);
}

static void forget_finished(q2p_node *node, struct q2p__finished *finished)
{
    q2p__table_drop(&node->finished, finished);
    q2p__list_drop(&finished->link);
    q2p__resize(node, finished, sizeof *finished, 0);
}

void q2p__recv_free_all(q2p_node *node)
{
    struct q2p__incoming *incoming;
    uint32_t cursor = 0;

    while ((incoming = q2p__table_next(&node->incoming, &cursor))) {
        q2p__recv_forget(node, incoming);
        cursor = 0;
    }
    while (!q2p__list_empty(&node->remembered))
        forget_finished(node, Q2P__LIST_ITEM(node->remembered.next, struct q2p__finished, link));
}

static void say_about(q2p_node *node, const struct q2p__key *key, enum q2p_dialect dialect,
                      enum q2p_event event)
{
    struct q2p__note note = {
        .to = key->peer, .hash = key->hash, .event = event, .dialect = dialect};

    q2p__say(node, &note); /* if it is lost here: its causes repeat */
}

struct q2p_happening q2p__recv_about(const struct q2p__incoming *incoming, enum q2p_on on)
{
    return (struct q2p_happening){.on = on,
                                  .peer = incoming->key.peer,
                                  .dialect = incoming->dialect,
                                  .hash = incoming->key.hash,
                                  .length = incoming->length};
}

/* PROTOCOL.md 6.8, to a peer that has shown that it knows it. */
static void say_state(q2p_node *node, const struct q2p__contact *contact,
                      const struct q2p__key *key, enum q2p_state state, uint16_t token)
{
    struct q2p__note note = {.to = key->peer,
                             .hash = key->hash,
                             .event = Q2P_EV_OPTIONSFEEDBACK,
                             .dialect = Q2P_DIALECT_OPTIONS,
                             .extended = true,
                             .state = (uint8_t)state,
                             .token = token,
                             .received = contact->fragments};

    q2p__say(node, &note);
}

/* Nobody asked: at the end, and when something comes that is here already. */
static void say_arrived(q2p_node *node, const struct q2p__contact *contact,
                        const struct q2p__key *key, enum q2p_dialect dialect)
{
    if (dialect == Q2P_DIALECT_OPTIONS && node->config.extend)
        say_state(node, contact, key, Q2P_STATE_COMPLETE, 0);
}

/* Gives one up to make room; its sender is told at once. */
static void evict(q2p_node *node, struct q2p__incoming *incoming)
{
    if (!incoming->closing)
        q2p__report_expired(node, incoming);
    say_about(node, &incoming->key, incoming->dialect, Q2P_EV_TRANSPORT_FAILED);
    node->counters.limited++;
    q2p__recv_forget(node, incoming);
}

/* The one longest without progress; there is one. */
static struct q2p__incoming *oldest_of(const struct q2p__contact *contact)
{
    return Q2P__LIST_ITEM(contact->incoming.next, struct q2p__incoming, beside);
}

/* Who sends too many at a time loses the one that stands still, if one does. If all together do,
 * those that never had any progress go first. */
static int make_room(q2p_node *node, q2p_time now, const struct q2p__contact *contact)
{
    if (contact->open >= node->config.incoming_peer_max) {
        struct q2p__incoming *still = oldest_of(contact);

        if (now - still->progress_at < node->config.lost_ns)
            return Q2P_ERR_FULL;
        evict(node, still);
    } else if (node->incoming.used >= node->config.incoming_max) {
        const struct q2p__link *head =
            q2p__list_empty(&node->announced) ? &node->receiving : &node->announced;

        evict(node, Q2P__LIST_ITEM(head->next, struct q2p__incoming, link));
    }
    return Q2P_OK;
}

static int open_new(q2p_node *node, q2p_time now, const struct q2p__key *key,
                    struct q2p__incoming **out)
{
    struct q2p__incoming *incoming = q2p__resize(node, NULL, 0, sizeof *incoming);
    int status;

    if (!incoming)
        return Q2P_ERR_MEMORY;
    memset(incoming, 0, sizeof *incoming);
    incoming->key = *key;
    incoming->started_at = incoming->progress_at = incoming->ranked_at = now;
    q2p__list_init(&incoming->link);
    q2p__list_init(&incoming->beside);
    q2p__list_init(&incoming->report);
    status = q2p__heap_claim(&node->timers, &incoming->timer, Q2P__TIMER_INCOMING);
    if (status != Q2P_OK) {
        q2p__resize(node, incoming, sizeof *incoming, 0);
        return status;
    }
    status = q2p__table_add(&node->incoming, incoming);
    if (status != Q2P_OK) {
        q2p__heap_release(&node->timers, &incoming->timer);
        q2p__resize(node, incoming, sizeof *incoming, 0);
        return status;
    }
    *out = incoming;
    return Q2P_OK;
}

/* Opens an incoming transmission, within all limits. */
static int begin(q2p_node *node, q2p_time now, const struct q2p__key *key, uint32_t length,
                 enum q2p_dialect dialect, struct q2p__incoming **out)
{
    struct q2p__incoming *incoming;
    struct q2p__contact *contact;
    struct q2p_happening told;
    int status = q2p__contact_make(node, &contact, &key->peer);

    if (status != Q2P_OK)
        return status;
    if (length > node->config.length_max)
        status = Q2P_ERR_FULL;
    else
        status = make_room(node, now, contact);
    if (status == Q2P_OK)
        status = open_new(node, now, key, &incoming);
    if (status != Q2P_OK) {
        /* An OPTIONS that comes again, or a later fragment, may find room or memory. Otherwise it
         * is fair to say no. */
        if (status == Q2P_ERR_FULL &&
            (length > node->config.length_max || dialect == Q2P_DIALECT_CLASSIC) &&
            q2p__contact_may(node, contact, now))
            say_about(node, key, dialect, Q2P_EV_TRANSPORT_FAILED);
        return status;
    }
    q2p__contact_heard(node, contact, now, dialect);
    contact->open++;
    incoming->contact = contact;
    incoming->length = length;
    incoming->dialect = dialect;
    q2p__pile_init(&incoming->pile, q2p_wire_fragments(length), (uint32_t)node->secret[0]);
    q2p__list_append(&node->announced, &incoming->link);
    q2p__list_append(&contact->incoming, &incoming->beside);
    q2p__report_open(node, now, incoming);
    told = q2p__recv_about(incoming, Q2P_ON_RECEIVING);
    q2p__news_tell(node, &told);
    *out = incoming;
    return Q2P_OK;
}

/* ---- completion ---- */

static void forget_finished_before(q2p_node *node, q2p_time now)
{
    while (!q2p__list_empty(&node->remembered)) {
        struct q2p__finished *first =
            Q2P__LIST_ITEM(node->remembered.next, struct q2p__finished, link);

        if (first->until > now && node->finished.used < node->finished.items_max)
            return;
        forget_finished(node, first);
    }
}

/* Remembers a key, made ready beforehand. */
static int prepare_finished(q2p_node *node, q2p_time now, const struct q2p__incoming *incoming,
                            struct q2p__finished **out)
{
    struct q2p__finished *finished;
    int status;

    forget_finished_before(node, now);
    finished = q2p__resize(node, NULL, 0, sizeof *finished);
    if (!finished)
        return Q2P_ERR_MEMORY;
    memset(finished, 0, sizeof *finished);
    finished->key = incoming->key;
    finished->dialect = incoming->dialect;
    finished->until = q2p__later(now, node->config.remember_ns);
    q2p__list_init(&finished->link);
    status = q2p__table_add(&node->finished, finished);
    if (status != Q2P_OK) {
        q2p__resize(node, finished, sizeof *finished, 0);
        return status;
    }
    q2p__list_append(&node->remembered, &finished->link);
    *out = finished;
    return Q2P_OK;
}

/* All is there. Without memory to remember the key nothing happens: the fragment that completed
 * it counts as lost, so that nothing is ever delivered twice. */
static void finish(q2p_node *node, struct q2p__incoming *incoming, struct q2p__finished *finished)
{
    struct q2p__news news = {.told = q2p__recv_about(incoming, Q2P_ON_DELIVERED)};
    size_t before = q2p__pile_held(&incoming->pile);

    q2p__pile_sort(&incoming->pile);
    news.told.check = q2p__key_check(node, &incoming->key.hash, incoming->pile.bytes,
                                     incoming->length, incoming->dialect);
    if (news.told.check == Q2P_CHECK_WRONG) {
        news.told.on = Q2P_ON_CORRUPT;
        q2p__news_give(node, &news);
        say_about(node, &incoming->key, incoming->dialect, Q2P_EV_TRANSPORT_FAILED);
        forget_finished(node, finished); /* it may be sent once more, and be right */
    } else {
        news.lent.data = q2p__pile_take(&incoming->pile, &node->config.alloc, &news.lent.data_room);
        news.told.data = news.lent.data ? news.lent.data : (const uint8_t *)"";
        news.told.data_len = incoming->length;
        node->counters.delivered++;
        charge(node, incoming, before);
        node->counters.memory += news.lent.data_room; /* till the application has seen it */
        q2p__news_give(node, &news);
        if (incoming->length > 0) /* else the answer to OPTIONS says it */
            say_arrived(node, incoming->contact, &incoming->key, incoming->dialect);
    }
    q2p__recv_forget(node, incoming);
}

/* ---- what comes in ---- */

/* Nothing, under a key that is not the one of nothing: somebody only wants an answer, as we do
 * where another OPTIONS was not answered (PROTOCOL.md 6.9). It opens nothing, nobody is told. */
static bool only_asks(const q2p_node *node, const struct q2p__key *key, uint32_t length)
{
    return length == 0 &&
           q2p__key_check(node, &key->hash, NULL, 0, Q2P_DIALECT_OPTIONS) == Q2P_CHECK_NONE;
}

static int answer_only(q2p_node *node, q2p_time now, const struct q2p__key *key)
{
    struct q2p__contact *contact;
    int status = q2p__contact_make(node, &contact, &key->peer);

    if (status != Q2P_OK)
        return status;
    if (!q2p__contact_may(node, contact, now))
        return Q2P_ERR_FULL;
    q2p__contact_heard(node, contact, now, Q2P_DIALECT_OPTIONS);
    say_about(node, key, Q2P_DIALECT_OPTIONS, Q2P_EV_OPTIONSFEEDBACK);
    return Q2P_OK;
}

int q2p__recv_options(q2p_node *node, q2p_time now, const struct q2p__key *key, uint32_t length)
{
    struct q2p__incoming *incoming = q2p__table_find(&node->incoming, key);
    struct q2p__finished *finished;
    int status = Q2P_OK;

    forget_finished_before(node, now);
    finished = q2p__table_find(&node->finished, key);
    if (incoming && (incoming->dialect != Q2P_DIALECT_OPTIONS || incoming->length != length ||
                     incoming->closing))
        return Q2P_ERR_ABSENT;
    if (!incoming && !finished && only_asks(node, key, length))
        return answer_only(node, now, key);
    if (!incoming && !finished)
        status = begin(node, now, key, length, Q2P_DIALECT_OPTIONS, &incoming);
    if (status == Q2P_OK && incoming && length == 0) { /* all zero bytes of it are here */
        status = prepare_finished(node, now, incoming, &finished);
        if (status == Q2P_OK)
            finish(node, incoming, finished);
    }
    if (status != Q2P_OK)
        return status;
    if (!finished && node->config.extend && !incoming->contact->extends &&
        incoming->pile.have > 0) {
        say_state(node, incoming->contact, key, Q2P_STATE_OPEN, 0); /* "I know the extension" */
        incoming->said += Q2P_EXTENDED_LEN;
    }
    if (!finished) {
        if (incoming->pile.have == 0)
            incoming->answered_at = now;
        incoming->heard += Q2P__LIST_LEN(1); /* as long as OPTIONS */
        incoming->said += Q2P__LIST_LEN(0);  /* as long as the answer */
    }
    say_about(node, key, Q2P_DIALECT_OPTIONS, Q2P_EV_OPTIONSFEEDBACK); /* again if it came again */
    return Q2P_OK;
}

int q2p__recv_asked(q2p_node *node, q2p_time now, const struct q2p__key *key,
                    const struct q2p_packet *packet)
{
    struct q2p__contact *contact = q2p__contact_find(node, &key->peer);
    struct q2p__incoming *incoming = q2p__table_find(&node->incoming, key);
    enum q2p_state state = Q2P_STATE_ABSENT;

    if (!node->config.extend || !contact)
        return Q2P_ERR_ABSENT;
    if (incoming && !contact->extends)
        q2p__report_shown(node, now, incoming);
    contact->extends = true;
    forget_finished_before(node, now);
    if (q2p__table_find(&node->finished, key))
        state = Q2P_STATE_COMPLETE;
    else if (incoming && incoming->dialect == Q2P_DIALECT_OPTIONS && !incoming->closing)
        state = Q2P_STATE_OPEN;
    if (state != Q2P_STATE_OPEN && !q2p__contact_may(node, contact, now))
        return Q2P_ERR_FULL;
    if (state == Q2P_STATE_OPEN) {
        incoming->heard += Q2P_EXTENDED_LEN;
        incoming->said += Q2P_EXTENDED_LEN;
        if (packet->state == Q2P_STATE_COMPLETE)
            q2p__report_all_left(node, now, incoming);
    }
    say_state(node, contact, key, state, packet->token);
    return Q2P_OK;
}

/* What one address may hold: a quarter, but always one transmission of the longest sort. */
static size_t share(const q2p_node *node)
{
    size_t longest = node->config.length_max;
    size_t bytes = longest + longest / 16 + 2 * Q2P_FRAGMENT_LEN;

    if (bytes < node->config.memory_max / 4)
        bytes = node->config.memory_max / 4;
    return bytes < node->config.memory_max ? bytes : node->config.memory_max;
}

/* Makes the memory budget hold `more` bytes for this contact: whoever holds most gives way, if
 * that is more than this one would. */
static int afford(q2p_node *node, const struct q2p__incoming *incoming, size_t more)
{
    const struct q2p__contact *contact = incoming->contact;

    if (more > share(node) || contact->memory > share(node) - more)
        return Q2P_ERR_MEMORY;
    while (node->counters.memory > node->config.memory_max - more) { /* no share is above that */
        const struct q2p__contact *richest =
            Q2P__LIST_ITEM(q2p__heap_first(&node->holders), struct q2p__contact, holds);

        if (richest->memory <= contact->memory + more ||
            q2p__news_reserve(node, Q2P__NEWS_INPUT) != Q2P_OK)
            return Q2P_ERR_MEMORY;
        evict(node, oldest_of(richest));
    }
    return Q2P_OK;
}

static int store(q2p_node *node, q2p_time now, struct q2p__incoming *incoming,
                 const struct q2p_packet *packet, const uint8_t *bytes)
{
    struct q2p__pile *pile = &incoming->pile;
    size_t before = q2p__pile_held(pile);
    size_t more = q2p__pile_would_hold(pile, packet->syn) - before;
    struct q2p__finished *finished = NULL;
    int status = Q2P_OK;

    if (more > 0)
        status = afford(node, incoming, more);
    if (status == Q2P_OK && pile->have + 1 == pile->total)
        status = prepare_finished(node, now, incoming, &finished);
    if (status != Q2P_OK)
        return status;
    status = q2p__pile_add(pile, &node->config.alloc, packet->syn, bytes + packet->body_at.at,
                           packet->body_at.len);
    charge(node, incoming, before);
    if (status != Q2P_OK) {
        if (finished)
            forget_finished(node, finished);
        return status;
    }
    node->counters.fragments_in++;
    if (!finished)
        q2p__report_progress(node, now, incoming, packet->syn);
    if (!finished && pile->have == 1 && incoming->dialect == Q2P_DIALECT_OPTIONS &&
        node->config.extend) { /* "I know the extension" */
        say_state(node, incoming->contact, &incoming->key, Q2P_STATE_OPEN, 0);
        incoming->said += Q2P_EXTENDED_LEN;
    }
    incoming->progress_at = now;
    if (pile->have == 1 || q2p__is_due(&incoming->ranked_at, now)) {
        q2p__list_append(&node->receiving, &incoming->link);
        q2p__list_append(&incoming->contact->incoming, &incoming->beside);
    }
    if (finished)
        finish(node, incoming, finished);
    return Q2P_OK;
}

/* A copy of what was delivered: its sender may not know that it was. */
static int say_again(q2p_node *node, q2p_time now, const struct q2p__key *key,
                     enum q2p_dialect dialect)
{
    struct q2p__contact *contact = q2p__contact_find(node, &key->peer);

    if (!contact)
        return Q2P_OK;
    contact->fragments++;
    if (contact->extends && q2p__contact_may(node, contact, now))
        say_arrived(node, contact, key, dialect);
    return Q2P_OK;
}

int q2p__recv_fragment(q2p_node *node, q2p_time now, const struct q2p__key *key,
                       const struct q2p_packet *packet, const uint8_t *bytes)
{
    struct q2p__incoming *incoming = q2p__table_recall(&node->incoming, key);

    if (!incoming) {
        int status;

        forget_finished_before(node, now);
        if (q2p__table_find(&node->finished, key)) {
            node->counters.fragments_duplicate++;
            return say_again(node, now, key, packet->dialect);
        }
        /* only a first sending in classic says how long the whole is */
        if (packet->dialect != Q2P_DIALECT_CLASSIC || packet->length == 0)
            return Q2P_ERR_ABSENT;
        status = begin(node, now, key, packet->length, packet->dialect, &incoming);
        if (status != Q2P_OK)
            return status;
    }
    q2p__fetch(incoming, sizeof *incoming); /* one of many: all of it at once */
    if (incoming->dialect != packet->dialect || incoming->closing)
        return Q2P_ERR_ABSENT;
    incoming->heard += packet->body_at.at + packet->body_at.len;
    incoming->contact->fragments++;
    if (packet->syn >= incoming->pile.total)
        return Q2P_ERR_SYN;
    if (packet->body_at.len != q2p_wire_share(incoming->length, packet->syn) ||
        (packet->length != 0 && packet->length != incoming->length))
        return Q2P_ERR_SHARE;
    if (q2p__pile_has(&incoming->pile, packet->syn)) {
        node->counters.fragments_duplicate++;
        return Q2P_OK;
    }
    return store(node, now, incoming, packet, bytes);
}
