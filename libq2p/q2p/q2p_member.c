/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_member.c - joining through seeds, being a seed, keep-alives and foreign networks
 * (PROTOCOL.md 5). Everything a stranger can cause here is bounded per address and in all.
 */
#include "q2p_member.h"

#include <string.h>

#include "q2p_punch.h"

/*
 * So many members are brought on the way to a joiner at once, so many more after each pause, as
 * long as it is found: a member that does not hear from it repeats its TOUCHED, and whoever's
 * address was forged is left alone then. A node that sends everything once brings all at once, as
 * the original does.
 */
#define FANOUT 8
#define SPREAD_PAUSE 4   /* times retry_ns: a member repeats twice in it, if it must */
#define AGAIN_ROUNDS 4   /* who does not answer is asked again: the joiner's JOINs may be over */
#define SPREAD_ROUNDS 20 /* after one JOIN; 128 members take 16 */
#define REPEATS_MAX (FANOUT + FANOUT / 2)

/* JOINs of all addresses together cause so many times what one address may. */
#define JOINS_SHARE 8

/* Who joined in somebody else's name made us ask somebody who is no member: after so many
 * TOUCHREQUESTs without a word only one of as many is sent. */
#define UNANSWERED_MAX 32

#define REFUSAL_NS Q2P_SECOND         /* one CONNECT_FAILED to an address in this time */
#define REFUSALS_NS (Q2P_SECOND / 10) /* ... and to all together */

#define REFUSAL_WAIT_NS (30 * Q2P_SECOND) /* after a call, a CONNECT_FAILED may answer it */
#define REASON_MAX 64

/* ---- who is there ---- */

/*
 * A JOIN may be forged. So who joins is first asked whether it is there, by a CONNECT as short as
 * its JOIN; originals answer that, too. Till then nobody hears of it, and it hears of nobody. Not
 * asked are those whom the user chose or a seed named, and nobody is by a node that sends
 * everything once: that does as the original.
 */
static bool is_met(const q2p_node *node, const struct q2p__contact *contact)
{
    return contact->met || contact->seed || contact->vouched || !node->config.persist;
}

/* After whatever may have made it a member, or a met one. */
static void mark_met(q2p_node *node, const struct q2p__contact *contact)
{
    if (contact->member && !is_met(node, contact))
        q2p__bit_put(node->unmet, contact->slot);
    else if (contact->member)
        q2p__bit_take(node->unmet, contact->slot);
}

/* ---- as joiner ---- */

static void join_later(q2p_node *node, q2p_time now, struct q2p__contact *seed)
{
    const struct q2p_config *config = &node->config;
    q2p_time delay_ns = config->keepalive_ns;

    if (config->persist && seed->tries < config->retries_max)
        delay_ns = q2p__doubled(config->retry_ns, seed->tries);
    q2p__heap_set(&node->timers, &seed->timer, delay_ns ? q2p__later(now, delay_ns) : Q2P_NEVER);
}

int q2p_node_join(q2p_node *node, q2p_time now, const struct q2p_addr *seed)
{
    struct q2p__contact *contact;
    int status;

    if (!q2p_addr_usable(seed) || q2p__is_own(node, seed))
        return Q2P_ERR_ADDRESS;
    status = q2p__contact_make(node, &contact, seed);
    if (status == Q2P_OK)
        status = q2p__contact_enroll(node, contact, now, true);
    if (status != Q2P_OK)
        return status;
    node->seeds_count = (uint8_t)(node->seeds_count + !contact->seed);
    contact->seed = true;
    mark_met(node, contact);
    contact->called_at = now;
    contact->tries = 0;
    join_later(node, now, contact);
    q2p__say_bare(node, seed, Q2P_EV_JOIN); /* if there is no room now: it is repeated */
    return Q2P_OK;
}

/* ---- as seed ---- */

/*
 * A JOIN is either the next repetition of an earlier one, or the first of a node that started
 * anew: then everybody is brought to it again. Repetitions come at growing distances, the first
 * of them soon; a node that sends JOIN once, as the original does, means it every time.
 */
static bool starts_anew(const q2p_node *node, struct q2p__contact *joiner, q2p_time gap_ns)
{
    q2p_time before_ns = joiner->join_gap_ns;

    joiner->join_gap_ns = gap_ns;
    if (joiner->persists && gap_ns >= before_ns / 4)
        return gap_ns / 4 > before_ns; /* or was it away for long? */
    joiner->persists = !joiner->persists && gap_ns / 4 <= node->config.retry_ns;
    return !joiner->persists;
}

static void ask_whether_there(q2p_node *node, q2p_time now, struct q2p__contact *joiner)
{
    q2p_time at = Q2P_NEVER;

    if (q2p__contact_may(node, joiner, now))
        q2p__say_bare(node, &joiner->addr, Q2P_EV_CONNECT);
    if (++joiner->asks < Q2P__PAID)
        at = q2p__later(now, q2p__doubled(node->config.retry_ns, joiner->asks - 1u));
    if (joiner->member)
        q2p__heap_set(&node->timers, &joiner->timer, at);
}

static bool may_be_there(struct q2p__contact *member)
{
    if (++member->unanswered > 2 * UNANSWERED_MAX)
        member->unanswered = UNANSWERED_MAX + 1;
    return member->unanswered <= UNANSWERED_MAX || member->unanswered == 2 * UNANSWERED_MAX;
}

static bool ask(q2p_node *node, q2p_time now, struct q2p__contact *joiner,
                struct q2p__contact *member)
{
    struct q2p__note note = {
        .to = member->addr, .about = joiner->addr, .event = Q2P_EV_TOUCHREQUEST};
    q2p_time step_ns = node->config.answers_max
                           ? Q2P_SECOND / ((q2p_time)node->config.answers_max * JOINS_SHARE)
                           : 0;

    if (!q2p__contact_may(node, joiner, now) ||
        !q2p__allow(&node->joins_at, now, step_ns, Q2P_SECOND)) {
        node->counters.limited++;
        return false;
    }
    if (may_be_there(member) && q2p__say(node, &note) != Q2P_OK)
        return false;
    q2p__bit_put(joiner->asked, member->slot);
    return true;
}

/* The slots of the members that are there and have not answered about a joiner: of those that were
 * asked before, or of those that were not. */
static void find_slots(const q2p_node *node, const struct q2p__contact *joiner, bool asked,
                       uint64_t out[2])
{
    for (int i = 0; i < 2; i++)
        out[i] = node->slots[i] & ~node->unmet[i] & ~joiner->touched[i] &
                 (asked ? joiner->asked[i] : ~joiner->asked[i]);
    if (joiner->member)
        q2p__bit_take(out, joiner->slot);
}

/* Tells members of the joiner: first those that do not know, then those that did not answer. */
static void spread(q2p_node *node, q2p_time now, struct q2p__contact *joiner, bool repeated)
{
    unsigned left = node->config.persist ? FANOUT : node->members_count;
    uint64_t slots[2][2] = {{0}};

    find_slots(node, joiner, false, slots[0]);
    if (repeated)
        find_slots(node, joiner, true, slots[1]);
    for (int again = 0; again < 2; again++) {
        uint64_t *wanted = slots[again];

        for (struct q2p__link *at = node->members.next; (wanted[0] | wanted[1]) != 0 && left > 0;
             at = at->next) {
            struct q2p__contact *member = Q2P__LIST_ITEM(at, struct q2p__contact, link);

            if (!q2p__bit_has(wanted, member->slot))
                continue;
            if (!ask(node, now, joiner, member))
                return;
            q2p__bit_take(wanted, member->slot);
            left--;
        }
    }
}

static int request_connect(q2p_node *node, const struct q2p_addr *joiner,
                           const struct q2p_addr *member)
{
    return q2p__say(
        node, &(struct q2p__note){.to = *joiner, .about = *member, .event = Q2P_EV_CONNECTREQUEST});
}

/*
 * Originals say everything once: if CONNECTREQUEST is lost, or what follows it, they never meet. So
 * a member that said TOUCHED once is named to the joiner a second time, a round later; those that
 * have met by then just say CONNECT and CONNECTED again. Who repeats JOIN is no original, and
 * repeats TOUCHED until it has met.
 */
static void request_again(q2p_node *node, q2p_time now, struct q2p__contact *joiner)
{
    for (struct q2p__link *at = node->members.next; at != &node->members; at = at->next) {
        const struct q2p__contact *member = Q2P__LIST_ITEM(at, const struct q2p__contact, link);

        if (!q2p__bit_has(joiner->owed, member->slot))
            continue;
        if (!member->persists && (!q2p__contact_may(node, joiner, now) ||
                                  request_connect(node, &joiner->addr, &member->addr) != Q2P_OK))
            return;
        q2p__bit_take(joiner->owed, member->slot);
    }
}

/* Is there a member that is to be asked yet, or again, or named again? */
static bool is_missed(const q2p_node *node, const struct q2p__contact *joiner)
{
    uint64_t slots[2];

    find_slots(node, joiner, false, slots);
    if ((slots[0] | slots[1]) == 0 && joiner->again > 0)
        find_slots(node, joiner, true, slots);
    return (slots[0] | slots[1] | joiner->owed[0] | joiner->owed[1]) != 0;
}

/* The other members of a joiner that may never send JOIN again; then its timer is free again. */
static void spread_later(q2p_node *node, q2p_time now, struct q2p__contact *joiner)
{
    q2p_time pause_ns = SPREAD_PAUSE * node->config.retry_ns;
    q2p_time at = Q2P_NEVER;

    joiner->spreading = is_missed(node, joiner) && joiner->repeats < REPEATS_MAX &&
                        now - joiner->join_at < SPREAD_ROUNDS * pause_ns;
    if (joiner->spreading)
        at = q2p__later(now, pause_ns);
    else if (joiner->connected && node->config.keepalive_ns)
        at = q2p__later(now, node->config.keepalive_ns);
    q2p__heap_set(&node->timers, &joiner->timer, at);
}

int q2p__member_join(q2p_node *node, q2p_time now, const struct q2p_addr *from)
{
    struct q2p__contact *joiner;
    q2p_time gap_ns;
    int status = q2p__contact_make(node, &joiner, from);

    if (status != Q2P_OK)
        return status;
    q2p__contact_heard(node, joiner, now, Q2P_DIALECT_UNKNOWN);
    gap_ns = now - joiner->join_at;
    if (gap_ns < node->config.retry_ns / 2)
        return Q2P_ERR_FULL; /* the network doubled it, or someone floods */
    if (starts_anew(node, joiner, gap_ns)) {
        memset(joiner->asked, 0, sizeof joiner->asked);
        memset(joiner->touched, 0, sizeof joiner->touched);
        memset(joiner->owed, 0, sizeof joiner->owed);
        q2p__news_tell(node, &(struct q2p_happening){.on = Q2P_ON_JOIN, .peer = *from});
    }
    joiner->join_at = now;
    joiner->repeats = 0;
    joiner->asks = 0;
    if (is_met(node, joiner))
        spread(node, now, joiner, true);
    status = q2p__contact_enroll(node, joiner, now, false);
    mark_met(node, joiner);
    if (!is_met(node, joiner))
        ask_whether_there(node, now, joiner);
    else if (status == Q2P_OK && node->config.persist && !joiner->seed)
        spread_later(node, now, joiner);
    return status;
}

bool q2p__member_is_there(q2p_node *node, q2p_time now, struct q2p__contact *joiner)
{
    if (joiner->met || joiner->asks == 0)
        return false;
    joiner->met = true;
    mark_met(node, joiner);
    joiner->again = AGAIN_ROUNDS;
    spread(node, now, joiner, true);
    if (joiner->member && !joiner->seed)
        spread_later(node, now, joiner);
    return true;
}

int q2p__member_touched(q2p_node *node, q2p_time now, const struct q2p_addr *from,
                        const struct q2p_addr *joiner_addr)
{
    struct q2p__contact *member = q2p__contact_find(node, from);
    struct q2p__contact *joiner = q2p__contact_find(node, joiner_addr);

    if (!member || !member->member || !joiner || !q2p__bit_has(joiner->asked, member->slot))
        return Q2P_ERR_ABSENT;
    if (!q2p__contact_may(node, member, now))
        return Q2P_ERR_FULL;
    if (!q2p__bit_has(joiner->touched, member->slot)) {
        q2p__bit_put(joiner->owed, member->slot);
    } else {
        q2p__bit_take(joiner->owed, member->slot);
        if (joiner->repeats < REPEATS_MAX)
            joiner->repeats++;
    }
    q2p__bit_put(joiner->touched, member->slot);
    if (joiner->member)
        q2p__bit_put(member->touched, joiner->slot);
    return request_connect(node, joiner_addr, from);
}

/* Keep-alives end: its address may be somebody else's by now. */
static void give_up(q2p_node *node, q2p_time now, struct q2p__contact *peer)
{
    bool vouched = peer->vouched;

    q2p__news_tell(node, &(struct q2p_happening){.on = Q2P_ON_GONE,
                                                 .peer = peer->addr,
                                                 .dialect = (enum q2p_dialect)peer->dialect});
    q2p__contact_dismiss(node, peer);
    if (vouched)
        q2p__punch_miss(node, now, &peer->addr);
}

void q2p__member_tick(q2p_node *node, q2p_time now, struct q2p__contact *contact)
{
    if (!is_met(node, contact)) {
        ask_whether_there(node, now, contact);
        return;
    }
    if (contact->spreading) {
        request_again(node, now, contact);
        if (contact->repeats < REPEATS_MAX)
            spread(node, now, contact, contact->again > 0);
        if (contact->again > 0)
            contact->again--;
        spread_later(node, now, contact);
        return;
    }
    if (contact->seed) {
        q2p__say_bare(node, &contact->addr, Q2P_EV_JOIN);
        if (contact->tries < node->config.retries_max)
            contact->tries++;
        join_later(node, now, contact);
    } else if (q2p__contact_is_gone(node, contact, now)) {
        give_up(node, now, contact);
    } else {
        q2p__say_bare(node, &contact->addr, Q2P_EV_CONNECT);
        q2p__heap_set(&node->timers, &contact->timer, q2p__later(now, node->config.keepalive_ns));
    }
}

/* ---- peers ---- */

int q2p__member_connect(q2p_node *node, q2p_time now, const struct q2p_addr *from, enum q2p_on on,
                        bool vouched)
{
    struct q2p__contact *contact;
    int status = q2p__contact_make(node, &contact, from);
    bool before, kept;

    if (status == Q2P_OK)
        status = q2p__contact_enroll(node, contact, now, true);
    if (status != Q2P_OK)
        return status;
    before = contact->connected;
    kept = before && is_met(node, contact);
    contact->heard_at = now;
    contact->vouched |= vouched;
    contact->met |= on == Q2P_ON_CONNECTED || node->config.open; /* where anybody is welcome */
    mark_met(node, contact);
    contact->connected = true;
    /* an address that nobody knows to be there is not called for ever */
    if (!kept && is_met(node, contact) && !contact->seed && !contact->spreading &&
        node->config.keepalive_ns)
        q2p__heap_set(&node->timers, &contact->timer, q2p__later(now, node->config.keepalive_ns));
    if (before)
        return Q2P_OK;
    q2p__news_tell(node, &(struct q2p_happening){.on = on,
                                                 .peer = *from,
                                                 .dialect = (enum q2p_dialect)contact->dialect});
    return Q2P_OK;
}

/* ---- other networks ---- */

int q2p__member_foreign(q2p_node *node, q2p_time now, const struct q2p_datagram *in,
                        uint16_t network_id)
{
    const struct q2p_addr *from = &in->peer;
    struct q2p__note note = {.to = *from, .event = Q2P_EV_CONNECT_FAILED};
    struct q2p__contact *contact;
    int status;

    node->counters.foreign++;
    status = q2p__contact_make(node, &contact, from);
    if (status != Q2P_OK)
        return status;
    /* The original answers every one, 31 bytes for 4: here a trickle, told as seldom, and with so
     * much of the reason as is paid for. */
    if (node->config.persist)
        note.length = (uint32_t)(Q2P__PAID * in->len - Q2P_HEADER_LEN);
    if (!q2p__allow(&contact->refusal_at, now, REFUSAL_NS, REFUSAL_NS) ||
        !q2p__allow(&node->refusals_at, now, REFUSALS_NS, Q2P_SECOND))
        return Q2P_ERR_FULL;
    q2p__news_tell(node, &(struct q2p_happening){
                             .on = Q2P_ON_MISMATCH, .peer = *from, .network_id = network_id});
    return q2p__say(node, &note);
}

int q2p__member_refused(q2p_node *node, q2p_time now, const struct q2p_addr *from,
                        const uint8_t *reason, size_t len)
{
    struct q2p__contact *contact = q2p__contact_find(node, from);
    struct q2p__news news = {.told = {.on = Q2P_ON_REFUSED, .peer = *from, .text = ""}};
    char *text;

    if (!contact || !(contact->member || contact->called_at > now - REFUSAL_WAIT_NS))
        return Q2P_ERR_ABSENT;
    if (!q2p__allow(&contact->refusal_at, now, REFUSAL_NS, REFUSAL_NS))
        return Q2P_ERR_FULL;
    if (len > REASON_MAX)
        len = REASON_MAX;
    text = q2p__resize(node, NULL, 0, len + 1);
    if (text) {
        for (size_t i = 0; i < len; i++)
            text[i] = reason[i] >= ' ' && reason[i] <= '~' ? (char)reason[i] : '?';
        text[len] = '\0';
        news.told.text = text;
        news.lent = (struct q2p__lent){.extra = text, .extra_room = len + 1};
    }
    q2p__news_give(node, &news);
    return Q2P_OK;
}
