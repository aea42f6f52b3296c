/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_node.c - the border of a node: datagrams in and out, time and happenings. What a message
 * means is for q2p_member, q2p_punch, q2p_send and q2p_recv.
 */
#include "q2p_node.h"

#include <assert.h>
#include <string.h>

#include <q2p/machine.h>

#include "q2p_config.h"
#include "q2p_dialect.h"
#include "q2p_member.h"
#include "q2p_punch.h"
#include "q2p_report.h"
#include "q2p_send.h"

#define STRANGERS_MAX 64 /* contacts beyond all members and all open transmissions */
#define FINISHED_SHARE 4 /* finished keys remembered for each transmission that may be open */

/* ---- life ---- */

/* Spreads one secret over two (SplitMix64). */
static uint64_t stir(uint64_t value)
{
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static void init_tables(q2p_node *node)
{
    const struct q2p_config *config = &node->config;
    size_t incoming_max = config->incoming_max;
    struct q2p__table *tables[] = {&node->contacts, &node->incoming, &node->finished,
                                   &node->outgoing};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        q2p__table_init(tables[i], &config->alloc, node->secret);
    q2p__table_shape(&node->contacts, offsetof(struct q2p__contact, addr), sizeof(struct q2p_addr),
                     config->peers_max + incoming_max + config->outgoing_max + STRANGERS_MAX);
    q2p__table_shape(&node->incoming, offsetof(struct q2p__incoming, key), sizeof(struct q2p__key),
                     incoming_max);
    q2p__table_shape(&node->finished, offsetof(struct q2p__finished, key), sizeof(struct q2p__key),
                     incoming_max * FINISHED_SHARE);
    q2p__table_shape(&node->outgoing, offsetof(struct q2p__outgoing, key), sizeof(struct q2p__key),
                     config->outgoing_max);
}

int q2p_node_new(q2p_node **out, const struct q2p_config *config)
{
    struct q2p_config taken;
    q2p_node *node;
    int status = q2p__config_take(&taken, config);

    *out = NULL;
    if (status != Q2P_OK)
        return status;
    node = taken.alloc.resize(taken.alloc.ctx, NULL, 0, sizeof *node);
    if (!node)
        return Q2P_ERR_MEMORY;
    memset(node, 0, sizeof *node);
    node->config = taken;
    node->secret[0] = stir(taken.seed + UINT64_C(0x9e3779b97f4a7c15));
    node->secret[1] = stir(taken.seed + UINT64_C(0x3c6ef372fe94f82a));
    q2p__heap_init(&node->timers, &node->config.alloc);
    q2p__heap_init(&node->holders, &node->config.alloc);
    init_tables(node);

    struct q2p__link *lists[] = {
        &node->members,   &node->strangers, &node->punching,   &node->idle,    &node->announced,
        &node->receiving, &node->reporting, &node->remembered, &node->sending, &node->ready};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        q2p__list_init(lists[i]);
    node->news.item_len = sizeof(struct q2p__news);
    node->notes.item_len = sizeof(struct q2p__note);
    node->quiet_until[0] = node->quiet_until[1] = Q2P__LONG_AGO;
    node->stalled_at = node->paced_at = node->joins_at = node->refusals_at = Q2P__LONG_AGO;
    *out = node;
    return Q2P_OK;
}

void q2p_node_free(q2p_node *node)
{
    if (!node)
        return;
    q2p__service_free(node);
    q2p__recv_free_all(node);
    q2p__send_free_all(node);
    q2p__punch_free_all(node);
    q2p__contact_free_all(node);
    if (node->own)
        q2p__resize(node, node->own, node->own_count * sizeof *node->own, 0);

    struct q2p_alloc alloc = node->config.alloc;
    alloc.resize(alloc.ctx, node, sizeof *node, 0);
}

int q2p_node_own(q2p_node *node, const struct q2p_addr *addr)
{
    struct q2p_addr *own;

    if (q2p__is_own(node, addr))
        return Q2P_OK;
    if (node->own_count >= Q2P__OWN_MAX)
        return Q2P_ERR_FULL;
    own = q2p__resize(node, node->own, node->own_count * sizeof *own,
                      (node->own_count + 1u) * sizeof *own);
    if (!own)
        return Q2P_ERR_MEMORY;
    own[node->own_count++] = *addr;
    node->own = own;
    return Q2P_OK;
}

/* ---- datagrams in ---- */

static int dispatch(q2p_node *node, q2p_time now, const struct q2p_datagram *in,
                    const struct q2p_packet *packet)
{
    const struct q2p_addr *from = &in->peer;
    struct q2p__key key = {.peer = *from};

    if (packet->hash_at.len == sizeof key.hash)
        memcpy(&key.hash, in->bytes + packet->hash_at.at, sizeof key.hash);
    switch (packet->event) {
    case Q2P_EV_JOIN:
        return q2p__member_join(node, now, from);
    case Q2P_EV_TOUCHREQUEST:
        return q2p__punch_touchrequest(node, now, from, &packet->address);
    case Q2P_EV_TOUCH:
        return q2p__punch_touch(node, now, from);
    case Q2P_EV_TOUCHED:
        return q2p__member_touched(node, now, from, &packet->address);
    case Q2P_EV_CONNECTREQUEST:
        return q2p__punch_connectrequest(node, now, from, &packet->address);
    case Q2P_EV_CONNECT:
        return q2p__punch_connect(node, now, from);
    case Q2P_EV_CONNECTED:
        return q2p__punch_connected(node, now, from);
    case Q2P_EV_CONNECT_FAILED:
        return q2p__member_refused(node, now, from, in->bytes + packet->reason_at.at,
                                   packet->reason_at.len);
    case Q2P_EV_OPTIONS:
        return packet->token_at.len > 0 ? q2p__recv_asked(node, now, &key, packet)
                                        : q2p__recv_options(node, now, &key, packet->length);
    case Q2P_EV_OPTIONSFEEDBACK:
        return q2p__send_answered(node, now, &key, packet);
    case Q2P_EV_TRANSPORT:
        return q2p__recv_fragment(node, now, &key, packet, in->bytes);
    case Q2P_EV_TRANSPORT_FAILED:
        if (packet->lost_count == 0 && packet->dialect == Q2P_DIALECT_CLASSIC)
            return q2p__send_answered(node, now, &key, packet); /* or is it? PROTOCOL.md 4 */
        return q2p__repair_list(node, now, &key, packet, in->bytes);
    case Q2P_EV_TEST:
    case Q2P_EV_UNKNOWN:
        break;
    }
    return Q2P_ERR_ABSENT;
}

/* Reads a datagram in the dialect that it proves, or else as classic: what no dialect is proven
 * by is the same in both, but for the one message that dispatch() looks at again. */
static int take_in(q2p_node *node, q2p_time now, const struct q2p_datagram *in)
{
    struct q2p__contact *contact;
    struct q2p_packet packet;
    int status;
    enum q2p_dialect proven = q2p__dialect_read(&packet, &status, in->bytes, in->len);

    if (status == Q2P_ERR_UNKNOWN)
        status = q2p_wire_read(&packet, Q2P_DIALECT_OPTIONS, in->bytes, in->len, in->len);
    if (!q2p_addr_usable(&in->peer) || q2p__is_own(node, &in->peer))
        status = Q2P_ERR_ADDRESS;
    else if (packet.event_at.len > 0 && packet.network_id != node->config.network_id &&
             packet.event != Q2P_EV_CONNECT_FAILED)
        return q2p__member_foreign(node, now, in, packet.network_id);
    else if (proven == Q2P_DIALECT_EARLY)
        status = Q2P_ERR_UNKNOWN; /* read by dissectors, spoken by nobody */
    /* the original's lists may be longer than it can read itself */
    if (status == Q2P_ERR_OVERSIZE && packet.event == Q2P_EV_TRANSPORT_FAILED)
        status = Q2P_OK;
    if (status != Q2P_OK) {
        node->counters.malformed++;
        return status;
    }
    contact = q2p__table_recall(&node->contacts, &in->peer);
    if (contact)
        q2p__contact_heard(node, contact, now, proven);
    status = dispatch(node, now, in, &packet);
    if (status == Q2P_ERR_FULL || status == Q2P_ERR_MEMORY)
        node->counters.limited++;
    else if (status == Q2P_ERR_ABSENT)
        node->counters.ignored++;
    else if (status != Q2P_OK)
        node->counters.malformed++;
    return status;
}

static inline void reclaim(q2p_node *node)
{
    if (node->lent.data || node->lent.extra)
        q2p__news_free(node, &node->lent);
}

int q2p_node_input(q2p_node *node, q2p_time now, const struct q2p_datagram *in)
{
    int status;

    reclaim(node);
    node->counters.datagrams_in++;
    node->counters.bytes_in += in->len;
    status = q2p__news_reserve(node, Q2P__NEWS_INPUT);
    if (status != Q2P_OK) {
        node->counters.limited++;
        return status;
    }
    return take_in(node, now, in);
}

/* ---- datagrams out ---- */

static int write_note(const q2p_node *node, const struct q2p__note *note,
                      const struct q2p__sheet *sheet)
{
    struct q2p_message message = {.event = note->event,
                                  .network_id = node->config.network_id,
                                  .length = note->length,
                                  .address = note->about,
                                  .hash = note->hash,
                                  .extended = note->extended,
                                  .state = note->state,
                                  .token = note->token,
                                  .received = note->received,
                                  .body = Q2P_REASON_MISMATCH,
                                  .body_len = sizeof Q2P_REASON_MISMATCH - 1};
    enum q2p_dialect dialect =
        note->dialect == Q2P_DIALECT_UNKNOWN ? Q2P_DIALECT_CLASSIC : note->dialect;

    if (note->event == Q2P_EV_CONNECT_FAILED && note->length > 0 && note->length < message.body_len)
        message.body_len = note->length; /* of the reason */
    return q2p__write(sheet, &note->to, dialect, &message);
}

/* Most often there is nothing, and drivers ask after every datagram that came. */
static int write_next(q2p_node *node, q2p_time now, const struct q2p__sheet *sheet)
{
    struct q2p__note note;

    if (node->notes.used > 0 && q2p__say_take(node, &note))
        return write_note(node, &note, sheet);
    if (!q2p__list_empty(&node->reporting) && q2p__report_output(node, sheet))
        return 1;
    return q2p__leave_any(node) && q2p__leave_output(node, now, sheet);
}

int q2p_node_output_to(q2p_node *node, q2p_time now, struct q2p_datagram *out, uint8_t *room)
{
    int some;

    reclaim(node);
    some = write_next(node, now, &(struct q2p__sheet){out, room});
    if (some) {
        node->counters.datagrams_out++;
        node->counters.bytes_out += out->len;
    }
    return some;
}

int q2p_node_output(q2p_node *node, q2p_time now, struct q2p_datagram *out)
{
    return q2p_node_output_to(node, now, out, node->bytes);
}

/* ---- time ---- */

q2p_time q2p_node_deadline(const q2p_node *node)
{
    const struct q2p__timer *timer = q2p__heap_first(&node->timers);
    q2p_time paced = q2p__leave_deadline(node);

    return timer && timer->at < paced ? timer->at : paced;
}

void q2p_node_tick(q2p_node *node, q2p_time now)
{
    struct q2p__timer *timer;

    reclaim(node);
    while ((timer = q2p__heap_first(&node->timers)) && timer->at <= now) {
        int status = q2p__news_reserve(node, Q2P__NEWS_INPUT);

        if (status == Q2P_ERR_MEMORY) /* due again, but not at once: that would be a busy loop */
            q2p__heap_set(&node->timers, timer, now + Q2P__SHORT_OF_MEMORY_NS);
        if (status != Q2P_OK)
            break;
        switch ((enum q2p__timer_kind)timer->kind) {
        case Q2P__TIMER_CONTACT:
            q2p__member_tick(node, now, (struct q2p__contact *)timer);
            break;
        case Q2P__TIMER_PUNCH:
            q2p__punch_tick(node, now, (struct q2p__punch *)timer);
            break;
        case Q2P__TIMER_INCOMING:
            q2p__report_tick(node, now, (struct q2p__incoming *)timer);
            break;
        case Q2P__TIMER_OUTGOING:
            q2p__send_tick(node, now, (struct q2p__outgoing *)timer);
            break;
        case Q2P__TIMER_PATH:
            q2p__send_path_tick(node, now, (struct q2p__path *)timer);
            break;
        }
    }
}

/* ---- what can be seen ---- */

const char *q2p_on_name(enum q2p_on on)
{
    switch (on) {
#define XX(name, number, word, sentence)                                                           \
    case Q2P_ON_##name:                                                                            \
        return word;
        Q2P_ON_MAP(XX)
#undef XX
    }
    return "unknown";
}

bool q2p_on_is_transmission(enum q2p_on on)
{
    return on >= Q2P_ON_RECEIVING && on != Q2P_ON_GONE;
}

int q2p_node_happening(q2p_node *node, struct q2p_happening *out)
{
    struct q2p__news news;

    reclaim(node);
    if (!q2p__news_take(node, &news))
        return 0;
    *out = news.told;
    node->lent = news.lent;
    return 1;
}

size_t q2p_node_peers(const q2p_node *node, struct q2p_peer *out, size_t max)
{
    size_t count = 0;

    for (const struct q2p__link *at = node->members.next; at != &node->members; at = at->next) {
        const struct q2p__contact *contact = Q2P__LIST_ITEM(at, const struct q2p__contact, link);

        if (count++ < max)
            out[count - 1] = (struct q2p_peer){.addr = contact->addr,
                                               .dialect = (enum q2p_dialect)contact->dialect,
                                               .seed = contact->seed,
                                               .connected = contact->connected};
    }
    return count;
}

const struct q2p_counters *q2p_node_counters(const q2p_node *node)
{
    return &node->counters;
}

/* ---- the border as a table ---- */

static int machine_input(void *self, q2p_time now, const struct q2p_datagram *in)
{
    return q2p_node_input(self, now, in);
}

static int machine_output(void *self, q2p_time now, struct q2p_datagram *out)
{
    return q2p_node_output(self, now, out);
}

static int machine_output_to(void *self, q2p_time now, struct q2p_datagram *out, uint8_t *room)
{
    return q2p_node_output_to(self, now, out, room);
}

static q2p_time machine_deadline(const void *self)
{
    return q2p_node_deadline(self);
}

static void machine_tick(void *self, q2p_time now)
{
    q2p_node_tick(self, now);
}

const struct q2p_machine q2p_node_machine = {
    .family = "q2p",
    .input = machine_input,
    .output = machine_output,
    .deadline = machine_deadline,
    .tick = machine_tick,
    .output_to = machine_output_to,
};
