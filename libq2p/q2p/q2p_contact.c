/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_contact.c - the records of whom the node knows, and the limits that hang on them. Every
 * list here is bounded: members by peers_max, strangers by what could have transmissions open.
 */
#include "q2p_contact.h"

#include <assert.h>
#include <string.h>

#include "q2p_member.h"

/* With keep-alives running, who was not heard for four of them, and so long, makes room. */
#define SILENT_DOUBLINGS 2
#define SILENT_NS (30 * Q2P_SECOND)

struct q2p__contact *q2p__contact_find(const q2p_node *node, const struct q2p_addr *addr)
{
    return q2p__table_find(&node->contacts, addr);
}

static void forget(q2p_node *node, struct q2p__contact *contact)
{
    q2p__heap_release(&node->holders, &contact->holds);
    q2p__table_drop(&node->contacts, contact);
    q2p__list_drop(&contact->link);
    q2p__resize(node, contact, sizeof *contact, 0);
}

static bool is_busy(const struct q2p__contact *contact)
{
    return contact->open > 0 || contact->path;
}

static struct q2p__contact *first_stranger(const q2p_node *node)
{
    return Q2P__LIST_ITEM(node->strangers.next, struct q2p__contact, link);
}

/* The longest unheard stranger that has nothing open. There is one whenever the table is full, as
 * it has room for more than all members and all open transmissions. Those that have are put last:
 * else each new stranger would cost a walk over all of them. */
static void forget_a_stranger(q2p_node *node)
{
    for (uint32_t left = node->contacts.used; is_busy(first_stranger(node)); left--) {
        assert(left > 0);
        q2p__list_append(&node->strangers, &first_stranger(node)->link);
    }
    forget(node, first_stranger(node));
}

int q2p__contact_make(q2p_node *node, struct q2p__contact **out, const struct q2p_addr *addr)
{
    struct q2p__contact *contact = q2p__contact_find(node, addr);
    int status;

    *out = contact;
    if (contact)
        return Q2P_OK;
    if (node->contacts.used >= node->contacts.items_max)
        forget_a_stranger(node);
    contact = q2p__resize(node, NULL, 0, sizeof *contact);
    if (!contact)
        return Q2P_ERR_MEMORY;
    memset(contact, 0, sizeof *contact);
    contact->addr = *addr;
    contact->heard_at = contact->answers_at = contact->refusal_at = contact->called_at =
        contact->join_at = contact->ranked_at = Q2P__LONG_AGO;
    status = q2p__table_add(&node->contacts, contact);
    if (status == Q2P_OK) {
        status = q2p__heap_claim(&node->holders, &contact->holds, Q2P__TIMER_CONTACT);
        if (status != Q2P_OK)
            q2p__table_drop(&node->contacts, contact);
    }
    if (status != Q2P_OK) {
        q2p__resize(node, contact, sizeof *contact, 0);
        return status;
    }
    q2p__heap_set(&node->holders, &contact->holds, 0);
    q2p__list_init(&contact->incoming);
    q2p__list_init(&contact->link);
    q2p__list_append(&node->strangers, &contact->link);
    *out = contact;
    return Q2P_OK;
}

void q2p__contact_heard(q2p_node *node, struct q2p__contact *contact, q2p_time now,
                        enum q2p_dialect proven)
{
    contact->heard_at = now;
    contact->unanswered = 0;
    /* the latest proof counts: another program may live at that address by now */
    if (proven != Q2P_DIALECT_UNKNOWN)
        contact->dialect = (uint8_t)proven;
    if (!contact->member && q2p__is_due(&contact->ranked_at, now))
        q2p__list_append(&node->strangers, &contact->link);
}

bool q2p__contact_may(const q2p_node *node, struct q2p__contact *contact, q2p_time now)
{
    uint16_t max = node->config.answers_max;

    return max == 0 || q2p__allow(&contact->answers_at, now, Q2P_SECOND / max, Q2P_SECOND);
}

/* So long, and four keep-alives. */
static q2p_time patience(const q2p_node *node, q2p_time least_ns)
{
    q2p_time patience_ns = q2p__doubled(node->config.keepalive_ns, SILENT_DOUBLINGS);

    return patience_ns < least_ns ? least_ns : patience_ns;
}

bool q2p__contact_is_gone(const q2p_node *node, const struct q2p__contact *peer, q2p_time now)
{
    q2p_time silence_ns = node->config.silence_ns;

    return silence_ns > 0 && now - peer->heard_at >= patience(node, silence_ns);
}

/* The member that is missed least, if any may go. They are looked through only if one of them can
 * have fallen silent since the last time: others ask for room all the time. */
static struct q2p__contact *find_silent(q2p_node *node, q2p_time now, bool connecting)
{
    q2p_time patience_ns = patience(node, SILENT_NS), until = Q2P_NEVER;
    struct q2p__contact *silent = NULL;

    if (node->config.keepalive_ns == 0)
        return NULL; /* nobody has to speak, so silence means nothing */
    if (now < node->quiet_until[connecting])
        return NULL;
    for (struct q2p__link *at = node->members.next; at != &node->members; at = at->next) {
        struct q2p__contact *contact = Q2P__LIST_ITEM(at, struct q2p__contact, link);
        q2p_time due = q2p__later(contact->heard_at, patience_ns);

        if (contact->seed || (contact->connected && !connecting))
            continue;
        if (due < until)
            until = due;
        if (now < due || (contact->connected && silent && !silent->connected))
            continue;
        if (!silent || silent->connected > contact->connected ||
            silent->heard_at > contact->heard_at)
            silent = contact;
    }
    node->quiet_until[connecting] = until;
    return silent;
}

/* A new member may fall silent before those that were there. */
static void expect_silence(q2p_node *node, const struct q2p__contact *member)
{
    q2p_time until = q2p__later(member->heard_at, patience(node, SILENT_NS));

    for (int i = 0; i < 2; i++)
        if (until < node->quiet_until[i])
            node->quiet_until[i] = until;
}

bool q2p__contact_room(q2p_node *node, q2p_time now, bool connecting)
{
    return node->members_count < node->config.peers_max || find_silent(node, now, connecting);
}

void q2p__contact_dismiss(q2p_node *node, struct q2p__contact *member)
{
    uint32_t cursor = 0;
    struct q2p__contact *contact;

    q2p__heap_release(&node->timers, &member->timer);
    while ((contact = q2p__table_next(&node->contacts, &cursor))) {
        q2p__bit_take(contact->asked, member->slot);
        q2p__bit_take(contact->touched, member->slot);
        q2p__bit_take(contact->owed, member->slot);
    }
    q2p__bit_take(node->slots, member->slot);
    q2p__bit_take(node->unmet, member->slot);
    node->members_count--;
    member->member = member->connected = member->vouched = member->spreading = false;
    member->met = false; /* it fell silent, and another may be there now */
    q2p__list_append(&node->strangers, &member->link);
}

int q2p__contact_enroll(q2p_node *node, struct q2p__contact *contact, q2p_time now, bool connecting)
{
    unsigned slot = 0;

    if (contact->member)
        return Q2P_OK;
    if (node->members_count >= node->config.peers_max) {
        struct q2p__contact *silent = find_silent(node, now, connecting);

        if (!silent)
            return Q2P_ERR_FULL;
        q2p__contact_dismiss(node, silent);
    }
    if (q2p__heap_claim(&node->timers, &contact->timer, Q2P__TIMER_CONTACT) != Q2P_OK)
        return Q2P_ERR_MEMORY;
    while (q2p__bit_has(node->slots, slot))
        slot++;
    q2p__bit_put(node->slots, slot);
    contact->slot = (uint8_t)slot;
    contact->member = true;
    node->members_count++;
    expect_silence(node, contact);
    q2p__list_append(&node->members, &contact->link);
    return Q2P_OK;
}

enum q2p_dialect q2p__contact_dialect(const q2p_node *node, const struct q2p_addr *addr)
{
    const struct q2p__contact *contact = q2p__contact_find(node, addr);

    return contact && contact->dialect != Q2P_DIALECT_UNKNOWN ? (enum q2p_dialect)contact->dialect
                                                              : node->config.dialect;
}

static void free_list(q2p_node *node, struct q2p__link *head)
{
    while (!q2p__list_empty(head))
        forget(node, Q2P__LIST_ITEM(head->next, struct q2p__contact, link));
}

void q2p__contact_free_all(q2p_node *node)
{
    while (!q2p__list_empty(&node->members))
        q2p__contact_dismiss(node, Q2P__LIST_ITEM(node->members.next, struct q2p__contact, link));
    free_list(node, &node->strangers);
}
