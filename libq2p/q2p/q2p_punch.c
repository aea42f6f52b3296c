/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_punch.c - both ends of hole punching (PROTOCOL.md 5.2). The original sends each message
 * once, to whoever is named by whomever; here only seeds and peers they vouched for may name an
 * address, each address is worked on once at a time, and with `persist` messages are repeated.
 */
#include "q2p_punch.h"

#include <string.h>

#include "q2p_member.h"

/* So many doublings of a keep-alive's time, a punch given up is still remembered. */
#define GIVEN_UP_DOUBLINGS 2

/* Punches at a time: for every peer there may be, one to its address and one to another port. */
static unsigned punches_max(const q2p_node *node)
{
    return 2u * node->config.peers_max;
}

static bool is_at_work(const struct q2p__punch *punch)
{
    return punch->kind == Q2P__PUNCH_TOUCHING || punch->kind == Q2P__PUNCH_CONNECTING;
}

static struct q2p__punch *find(const q2p_node *node, const struct q2p_addr *addr)
{
    return node->punches ? q2p__table_find(node->punches, addr) : NULL;
}

static bool same_host(const struct q2p_addr *a, const struct q2p_addr *b)
{
    return a->ip_len == b->ip_len && a->scope_id == b->scope_id &&
           memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/* Those at work are few: what seeds have named within the last seconds. */
static struct q2p__punch *find_host(const q2p_node *node, const struct q2p_addr *addr,
                                    enum q2p__punch_kind kind)
{
    const struct q2p__link *head = kind == Q2P__PUNCH_HEARD ? &node->idle : &node->punching;

    for (struct q2p__link *at = head->next; at != head; at = at->next) {
        struct q2p__punch *punch = Q2P__LIST_ITEM(at, struct q2p__punch, link);

        if (punch->kind == kind && same_host(&punch->addr, addr))
            return punch;
    }
    return NULL;
}

static void become(q2p_node *node, struct q2p__punch *punch, enum q2p__punch_kind kind)
{
    bool was_at_work = is_at_work(punch);

    punch->kind = kind;
    if (is_at_work(punch) != was_at_work)
        q2p__list_append(was_at_work ? &node->idle : &node->punching, &punch->link);
}

static void free_table(q2p_node *node)
{
    q2p__table_clear(node->punches);
    q2p__resize(node, node->punches, sizeof *node->punches, 0);
    node->punches = NULL;
}

static void forget(q2p_node *node, struct q2p__punch *punch)
{
    q2p__heap_release(&node->timers, &punch->timer);
    q2p__table_drop(node->punches, punch);
    q2p__list_drop(&punch->link);
    q2p__resize(node, punch, sizeof *punch, 0);
    if (node->punches->used == 0)
        free_table(node);
}

static void forget_first(q2p_node *node, struct q2p__link *head)
{
    forget(node, Q2P__LIST_ITEM(head->next, struct q2p__punch, link));
}

void q2p__punch_free_all(q2p_node *node)
{
    while (!q2p__list_empty(&node->punching))
        forget_first(node, &node->punching);
    while (!q2p__list_empty(&node->idle))
        forget_first(node, &node->idle);
}

/* Room for one more among so many; the longest idle one may have to go for it. Q2P_OK or
 * Q2P_ERR_FULL. */
static int make_room(q2p_node *node, unsigned max)
{
    if (!node->punches || node->punches->used < max)
        return Q2P_OK;
    if (q2p__list_empty(&node->idle))
        return Q2P_ERR_FULL;
    forget_first(node, &node->idle);
    return Q2P_OK;
}

static int add_to_table(q2p_node *node, struct q2p__punch *punch)
{
    int status;

    if (!node->punches) {
        node->punches = q2p__resize(node, NULL, 0, sizeof *node->punches);
        if (!node->punches)
            return Q2P_ERR_MEMORY;
        q2p__table_init(node->punches, &node->config.alloc, node->secret);
        q2p__table_shape(node->punches, offsetof(struct q2p__punch, addr), sizeof punch->addr,
                         punches_max(node));
    }
    status = q2p__table_add(node->punches, punch);
    if (node->punches->used == 0)
        free_table(node);
    return status;
}

static int make(q2p_node *node, struct q2p__punch **out, const struct q2p_addr *addr,
                enum q2p__punch_kind kind)
{
    struct q2p__punch *punch;
    int status = make_room(node, punches_max(node));

    if (status != Q2P_OK)
        return status;
    punch = q2p__resize(node, NULL, 0, sizeof *punch);
    if (!punch)
        return Q2P_ERR_MEMORY;
    memset(punch, 0, sizeof *punch);
    punch->addr = punch->asked = *addr;
    punch->kind = kind;
    status = q2p__heap_claim(&node->timers, &punch->timer, Q2P__TIMER_PUNCH);
    if (status == Q2P_OK) {
        status = add_to_table(node, punch);
        if (status != Q2P_OK)
            q2p__heap_release(&node->timers, &punch->timer);
    }
    if (status != Q2P_OK) {
        q2p__resize(node, punch, sizeof *punch, 0);
        return status;
    }
    q2p__list_init(&punch->link);
    q2p__list_append(is_at_work(punch) ? &node->punching : &node->idle, &punch->link);
    *out = punch;
    return Q2P_OK;
}

/* For somebody whom no seed has named: half of the room is for the others. */
static int make_unnamed(q2p_node *node, struct q2p__punch **out, const struct q2p_addr *addr,
                        enum q2p__punch_kind kind)
{
    int status = make_room(node, punches_max(node) / 2);

    return status == Q2P_OK ? make(node, out, addr, kind) : status;
}

/* How long a punch may take in all: also what one waits that sends nothing again. */
static q2p_time patience(const q2p_node *node)
{
    return q2p__doubled(node->config.retry_ns, node->config.retries_max);
}

static void send(q2p_node *node, q2p_time now, struct q2p__punch *punch)
{
    if (punch->kind == Q2P__PUNCH_TOUCHING) {
        struct q2p__note note = {.to = punch->via, .about = punch->addr, .event = Q2P_EV_TOUCHED};

        q2p__say_bare(node, &punch->addr, Q2P_EV_TOUCH); /* first: it opens our own NAT */
        q2p__say(node, &note);
    } else {
        q2p__say_bare(node, &punch->addr, Q2P_EV_CONNECT);
    }
    punch->sent++;
    q2p__heap_set(&node->timers, &punch->timer,
                  q2p__later(now, node->config.persist
                                      ? q2p__doubled(node->config.retry_ns, punch->sent - 1)
                                      : patience(node)));
}

static void give_up(q2p_node *node, q2p_time now, struct q2p__punch *punch)
{
    if (!punch->doubtful && q2p_addr_equal(&punch->addr, &punch->asked))
        q2p__news_tell(node, &(struct q2p_happening){.on = Q2P_ON_UNREACHED, .peer = punch->addr});
    become(node, punch, Q2P__PUNCH_GIVEN_UP);
    q2p__heap_set(&node->timers, &punch->timer,
                  q2p__later(now, q2p__doubled(node->config.keepalive_ns, GIVEN_UP_DOUBLINGS)));
}

void q2p__punch_tick(q2p_node *node, q2p_time now, struct q2p__punch *punch)
{
    if (!is_at_work(punch))
        forget(node, punch);
    else if (node->config.persist && punch->sent <= node->config.retries_max)
        send(node, now, punch);
    else
        give_up(node, now, punch);
}

/*
 * It is done. If this was another port of the host that a seed had named, then the one it named is
 * probably the same peer and will not answer: no word of that. But it may be a second peer behind
 * the same NAT, so it goes on.
 */
static void settle(q2p_node *node, struct q2p__punch *punch)
{
    struct q2p__punch *named = find(node, &punch->asked);

    if (named)
        named->doubtful = true;
    forget(node, punch);
}

/* As its keep-alives may go on for as long as ours did. */
void q2p__punch_miss(q2p_node *node, q2p_time now, const struct q2p_addr *peer)
{
    struct q2p__punch *punch;

    if (!find(node, peer) && make(node, &punch, peer, Q2P__PUNCH_GIVEN_UP) == Q2P_OK)
        q2p__heap_set(&node->timers, &punch->timer, q2p__later(now, node->config.silence_ns));
}

/* May this node send us to others? Seeds may, and peers that a seed had vouched for; with `open`
 * all peers, as in the original. */
static bool is_trusted(const q2p_node *node, const struct q2p__contact *contact)
{
    return contact && contact->member && (contact->seed || contact->vouched || node->config.open);
}

static int check_target(q2p_node *node, q2p_time now, const struct q2p_addr *from,
                        const struct q2p_addr *target)
{
    const struct q2p__contact *contact = q2p__contact_find(node, target);

    if (!q2p_addr_usable(target) || q2p__is_own(node, target) || q2p_addr_equal(target, from))
        return Q2P_ERR_ADDRESS;
    if (!(contact && contact->member) && !q2p__contact_room(node, now, true))
        return Q2P_ERR_FULL;
    return Q2P_OK;
}

static int prepare(q2p_node *node, q2p_time now, const struct q2p_addr *from,
                   const struct q2p_addr *target)
{
    struct q2p__contact *seed = q2p__contact_find(node, from);
    int status;

    if (!is_trusted(node, seed))
        return Q2P_ERR_ABSENT;
    status = check_target(node, now, from, target);
    if (status == Q2P_OK && !q2p__contact_may(node, seed, now))
        status = Q2P_ERR_FULL;
    return status;
}

int q2p__punch_touchrequest(q2p_node *node, q2p_time now, const struct q2p_addr *from,
                            const struct q2p_addr *joiner)
{
    struct q2p__punch *punch = find(node, joiner);
    int status = prepare(node, now, from, joiner);

    if (status != Q2P_OK)
        return status;
    if (punch && is_at_work(punch) && node->config.persist)
        return Q2P_OK; /* at work already: no more messages to one address for more requests */
    if (!punch)
        status = make(node, &punch, joiner, Q2P__PUNCH_TOUCHING);
    if (status != Q2P_OK)
        return status;
    become(node, punch, Q2P__PUNCH_TOUCHING);
    punch->sent = 0;
    punch->via = *from;
    send(node, now, punch);
    return Q2P_OK;
}

/* A TOUCH from a port that no seed named, but of a host that one did: its NAT gives every
 * connection a port of its own, so this is the one where it hears us. The original ignores it. */
static int connect_where_heard(q2p_node *node, q2p_time now, const struct q2p_addr *from,
                               const struct q2p__punch *told)
{
    struct q2p__punch *punch;
    struct q2p_addr asked = told->asked;
    int status = make(node, &punch, from, Q2P__PUNCH_CONNECTING);

    if (status != Q2P_OK)
        return status;
    punch->asked = asked;
    send(node, now, punch);
    return Q2P_OK;
}

/* Keeps in mind who sent TOUCH: its seed's CONNECTREQUEST may still be on its way to us. */
static int remember_touch(q2p_node *node, q2p_time now, const struct q2p_addr *from)
{
    struct q2p__punch *punch;
    int status = make_unnamed(node, &punch, from, Q2P__PUNCH_HEARD);

    if (status == Q2P_OK)
        q2p__heap_set(&node->timers, &punch->timer, q2p__later(now, patience(node)));
    return status;
}

int q2p__punch_touch(q2p_node *node, q2p_time now, const struct q2p_addr *from)
{
    const struct q2p__contact *contact = q2p__contact_find(node, from);
    const struct q2p__punch *told;

    if (!node->config.persist || (contact && contact->connected) || find(node, from))
        return Q2P_OK;
    told = find_host(node, from, Q2P__PUNCH_CONNECTING);
    if (told)
        return connect_where_heard(node, now, from, told);
    if (node->seeds_count == 0)
        return Q2P_ERR_ABSENT;
    return remember_touch(node, now, from);
}

int q2p__punch_connectrequest(q2p_node *node, q2p_time now, const struct q2p_addr *from,
                              const struct q2p_addr *peer)
{
    struct q2p__contact *seed = q2p__contact_find(node, from);
    struct q2p__punch *punch = find(node, peer), *heard;
    int status = prepare(node, now, from, peer);

    if (status != Q2P_OK)
        return status;
    if (!seed->seed && !node->config.open)
        return Q2P_ERR_ABSENT; /* only whom we joined through can know that we joined */
    if (punch && punch->kind == Q2P__PUNCH_CONNECTING && node->config.persist) {
        punch->asked = *peer; /* its TOUCH came first, but it is a peer, not another's port */
        punch->doubtful = false;
        return Q2P_OK;
    }
    if (!punch)
        status = make(node, &punch, peer, Q2P__PUNCH_CONNECTING);
    if (status != Q2P_OK)
        return status;
    become(node, punch, Q2P__PUNCH_CONNECTING);
    punch->sent = 0;
    punch->via = *from;
    send(node, now, punch);
    heard = find_host(node, peer, Q2P__PUNCH_HEARD);
    if (heard) {
        become(node, heard, Q2P__PUNCH_CONNECTING);
        heard->asked = *peer;
        send(node, now, heard);
    }
    return Q2P_OK;
}

/* Private networks, and those of carriers (RFC 1918, 6598, 4193): from there NATs hand in. */
static bool is_inside(const struct q2p_addr *addr)
{
    const uint8_t *ip = addr->ip;

    if (addr->ip_len == 16)
        return (ip[0] & 0xfe) == 0xfc;
    return ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
           (ip[0] == 192 && ip[1] == 168) || (ip[0] == 100 && (ip[1] & 0xc0) == 64);
}

/* A punch at work that a hairpin may have led to `from`: of its port, as many NATs keep ports. */
static const struct q2p__punch *find_hairpin(const q2p_node *node, const struct q2p_addr *from)
{
    const struct q2p__punch *any = NULL;

    for (struct q2p__link *at = node->punching.next; at != &node->punching; at = at->next) {
        const struct q2p__punch *punch = Q2P__LIST_ITEM(at, const struct q2p__punch, link);

        if (!same_host(&punch->addr, from) && (!any || punch->addr.port == from->port))
            any = punch;
    }
    return any;
}

/*
 * CONNECT or CONNECTED from inside, where nobody named anybody, while a punch is at work: a NAT may
 * have turned back what went to its own outside, and left the sender's inside address in it. That
 * binds nothing, so the address has to show that it is there, by CONNECTED to a CONNECT of ours.
 * The other end may want the same of us: hence CONNECTED to its CONNECT. No word is repeated by
 * itself, so that nobody gets more than two for one, and few of them.
 */
static int try_inside(q2p_node *node, q2p_time now, const struct q2p_addr *from, bool answer)
{
    const struct q2p__punch *named = find_hairpin(node, from);
    struct q2p__punch *punch = find(node, from);
    int status = Q2P_OK;

    if (!named || !is_inside(from) || (punch && is_at_work(punch)))
        return Q2P_ERR_ABSENT;
    if (!q2p__contact_room(node, now, true))
        return Q2P_ERR_FULL;
    if (!punch)
        status = make_unnamed(node, &punch, from, Q2P__PUNCH_INSIDE);
    if (status != Q2P_OK)
        return status;
    if (punch->kind != Q2P__PUNCH_INSIDE) {
        become(node, punch, Q2P__PUNCH_INSIDE);
        punch->sent = 0;
    }
    if (punch->sent++ > node->config.retries_max)
        return Q2P_ERR_FULL;
    if (punch->sent == 1)
        q2p__heap_set(&node->timers, &punch->timer, q2p__later(now, patience(node)));
    if (named->addr.port == from->port)
        punch->asked = named->addr;
    if (answer)
        q2p__say_bare(node, from, Q2P_EV_CONNECTED);
    return q2p__say_bare(node, from, Q2P_EV_CONNECT);
}

int q2p__punch_connect(q2p_node *node, q2p_time now, const struct q2p_addr *from)
{
    struct q2p__contact *contact = q2p__contact_find(node, from);
    struct q2p__punch *punch = find(node, from);
    int status;

    if (punch && (punch->kind == Q2P__PUNCH_HEARD || punch->kind == Q2P__PUNCH_INSIDE))
        punch = NULL; /* a stranger gains nothing by a message before */
    if (!punch && !(contact && (contact->connected || contact->seed))) {
        punch = find_host(node, from, Q2P__PUNCH_TOUCHING);
        if (!punch)
            punch = find_host(node, from, Q2P__PUNCH_CONNECTING);
    }
    if (!punch && !(contact && contact->member) && !node->config.open)
        return try_inside(node, now, from, true);
    if (contact && !q2p__contact_may(node, contact, now))
        return Q2P_ERR_FULL;
    if (!punch && contact && contact->seed) /* it asks whether we, who joined, are there */
        return q2p__say_bare(node, from, Q2P_EV_CONNECTED);
    status = q2p__member_connect(node, now, from, Q2P_ON_CONNECT, punch != NULL);
    if (status != Q2P_OK)
        return status;
    if (punch)
        settle(node, punch);
    return q2p__say_bare(node, from, Q2P_EV_CONNECTED);
}

int q2p__punch_connected(q2p_node *node, q2p_time now, const struct q2p_addr *from)
{
    struct q2p__contact *contact = q2p__contact_find(node, from);
    struct q2p__punch *punch = find(node, from);
    int status;

    if (punch && (punch->kind == Q2P__PUNCH_HEARD || punch->kind == Q2P__PUNCH_TOUCHING))
        punch = NULL;
    if (contact && q2p__member_is_there(node, now, contact) && !punch)
        return Q2P_OK;
    if (!punch && contact && contact->connected)
        return Q2P_OK; /* the answer to a keep-alive */
    if (!punch)
        punch = find_host(node, from, Q2P__PUNCH_CONNECTING);
    if (!punch && !node->config.open)
        return try_inside(node, now, from, false);
    status = q2p__member_connect(node, now, from, Q2P_ON_CONNECTED,
                                 punch && punch->kind != Q2P__PUNCH_INSIDE);
    if (status == Q2P_OK && punch)
        settle(node, punch);
    return status;
}
