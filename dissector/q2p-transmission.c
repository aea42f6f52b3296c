/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-transmission.c - what became of each transmission (PROTOCOL.md 6), as one can know it who
 * only listens: which fragments came, which twice, who gave up.
 *
 * The same key may be sent again. A transmission is closed when it is complete or its receiver has
 * given up; what comes for its key after that, and could open it anew, is collected in a sending
 * of its own, `again`. That one counts (has an index) only once more than half of it has come or
 * its receiver asks for the rest: a duplicate that the network made late is no second sending.
 */
#include "q2p-state-private.h"

#include <q2p/status.h>

#define ASKS_MAX 250000 /* of a capture; what else is asked for is not linked with its answer */

/* What belongs to the open capture. */
static struct {
    wmem_map_t *newest; /* by talk, sender and key: the last sending that counts */
    uint32_t asks;      /* how many are remembered */
    wmem_array_t *all;  /* of struct q2p_transmission *, those that count, by index */
} file;

static unsigned transmission_hash(const void *key)
{
    const struct q2p_transmission *transmission = key;
    return wmem_strong_hash(transmission->hash.bytes, Q2P_HASH_LEN) ^
           GPOINTER_TO_UINT(transmission->talk);
}

static gboolean transmission_equal(const void *a, const void *b)
{
    const struct q2p_transmission *one = a, *other = b;
    return one->talk == other->talk && one->side == other->side &&
           memcmp(&one->hash, &other->hash, sizeof one->hash) == 0;
}

void q2p__transmissions_begin(void)
{
    file.newest = wmem_map_new(wmem_file_scope(), transmission_hash, transmission_equal);
    file.asks = 0;
    file.all = wmem_array_new(wmem_file_scope(), sizeof(struct q2p_transmission *));
}

struct q2p_transmission *q2p__transmission_find(const struct q2p_talk *talk, uint8_t side,
                                                const uint8_t *bytes, struct q2p_span hash_at)
{
    struct q2p_transmission key = {.talk = (struct q2p_talk *)talk, .side = side};
    struct q2p_transmission **recent = &key.talk->sides[side].recent;

    if (hash_at.len != Q2P_HASH_LEN)
        return NULL;
    if (*recent != NULL && memcmp((*recent)->hash.bytes, bytes + hash_at.at, Q2P_HASH_LEN) == 0)
        return *recent;
    memcpy(key.hash.bytes, bytes + hash_at.at, Q2P_HASH_LEN);
    *recent = wmem_map_lookup(file.newest, &key);
    return *recent;
}

/* From here on the sending counts. */
static void count_in(struct q2p_transmission *transmission)
{
    transmission->index = wmem_array_get_count(file.all);
    wmem_array_append_one(file.all, transmission);
    transmission->sending = transmission->earlier == NULL ? 1 : transmission->earlier->sending + 1;
    wmem_map_remove(file.newest, transmission);
    wmem_map_insert(file.newest, transmission, transmission);
    transmission->talk->sides[transmission->side].recent = transmission;
}

static struct q2p_transmission *new_transmission(const struct q2p__datagram *datagram)
{
    struct q2p_transmission *fresh = wmem_new0(wmem_file_scope(), struct q2p_transmission);

    memcpy(fresh->hash.bytes, datagram->bytes.at + datagram->packet->hash_at.at, Q2P_HASH_LEN);
    fresh->talk = datagram->talk;
    fresh->side = datagram->side;
    fresh->dialect = datagram->packet->dialect;
    fresh->network_id = datagram->packet->network_id;
    fresh->first_frame = datagram->frame;
    fresh->first_time = datagram->time;
    return fresh;
}

static bool is_whole(const struct q2p_transmission *transmission)
{
    return transmission->complete_frame != 0;
}

static bool is_closed(const struct q2p_transmission *transmission)
{
    return is_whole(transmission) || transmission->gave_up_frame != 0;
}

static bool counts(const struct q2p_transmission *transmission)
{
    return transmission->sending != 0;
}

static struct q2p_ask *newest_ask(const struct q2p_transmission *sending, uint32_t syn)
{
    if (sending->asks == NULL)
        return NULL;
    return (struct q2p_ask *)wmem_map_lookup(sending->asks, GUINT_TO_POINTER(syn));
}

/* A fragment that passed here, was asked for all the same, and now comes again: lost further on. */
static bool is_awaited(const struct q2p_transmission *sending, const struct q2p_packet *packet)
{
    const struct q2p_ask *ask = packet->syn_at.len > 0 ? newest_ask(sending, packet->syn) : NULL;

    return sending->gave_up_frame == 0 && ask != NULL && ask->answered_frame == 0;
}

/*
 * The sending that a datagram with a length belongs to: OPTIONS, or a classic TRANSPORT of a first
 * sending, or a resend that says the length, too. Makes it if there is none, or if the newest is
 * closed.
 */
static struct q2p_transmission *open_sending(const struct q2p__datagram *datagram)
{
    struct q2p_transmission *newest = q2p__transmission_find(
        datagram->talk, datagram->side, datagram->bytes.at, datagram->packet->hash_at);

    if (newest == NULL) {
        newest = new_transmission(datagram);
        count_in(newest);
    } else if (is_closed(newest) && !is_awaited(newest, datagram->packet)) {
        if (newest->again == NULL) {
            newest->again = new_transmission(datagram);
            newest->again->earlier = newest;
        }
        newest = newest->again;
    }
    if (!newest->length_known) {
        newest->length_known = true;
        newest->length = datagram->packet->length;
        newest->fragments = q2p_wire_fragments(newest->length);
    }
    return newest;
}

/* The sending that a datagram without a length belongs to; made if nothing is known of the key. */
static struct q2p_transmission *known_sending(const struct q2p__datagram *datagram)
{
    struct q2p_transmission *newest = q2p__transmission_find(
        datagram->talk, datagram->side, datagram->bytes.at, datagram->packet->hash_at);

    if (newest == NULL) {
        newest = new_transmission(datagram);
        count_in(newest);
    }
    return newest->again != NULL ? newest->again : newest;
}

static void learn_start(struct q2p_visit *visit, const struct q2p__datagram *datagram)
{
    if (datagram->status != Q2P_OK) {
        visit->role = Q2P_ROLE_BAD;
        return;
    }

    struct q2p_transmission *sending = q2p__transmission_find(
        datagram->talk, datagram->side, datagram->bytes.at, datagram->packet->hash_at);
    if (sending != NULL && datagram->packet->state_at.len > 0) {
        visit->transmission = sending->again != NULL ? sending->again : sending;
        visit->role = Q2P_ROLE_QUESTION;
        return;
    }
    sending = open_sending(datagram);
    bool first = sending->start_frame == 0;
    visit->transmission = sending;
    visit->role = first ? Q2P_ROLE_START : Q2P_ROLE_RESTART;
    visit->length_changed = sending->length != datagram->packet->length;
    if (first)
        sending->start_frame = datagram->frame, sending->start_time = datagram->time;
    /* After a failure, asking anew is enough to count as a sending. */
    if (!counts(sending) && sending->earlier->gave_up_frame != 0)
        count_in(sending);
}

/* How many bytes of body the datagram had on the wire, whatever of them was captured. */
static uint32_t body_len_of(const struct q2p__datagram *datagram)
{
    return datagram->bytes.total - datagram->packet->body_at.at;
}

static enum q2p_role role_of_known(const struct q2p_transmission *sending,
                                   const struct q2p__datagram *datagram)
{
    struct q2p_span body_at = datagram->packet->body_at;
    uint32_t syn = datagram->packet->syn;
    const uint8_t *before = q2p_pieces_body(&sending->pieces, syn);

    if (before == NULL || body_at.len > q2p_wire_share(sending->length, syn))
        return Q2P_ROLE_DUPLICATE;
    return memcmp(before, datagram->bytes.at + body_at.at, body_at.len) == 0 ? Q2P_ROLE_DUPLICATE
                                                                             : Q2P_ROLE_CONFLICT;
}

static void take_in(struct q2p_transmission *sending, const struct q2p__datagram *datagram)
{
    const struct q2p_packet *packet = datagram->packet;
    const uint8_t *body = datagram->bytes.at + packet->body_at.at;

    if (datagram->status != Q2P_OK)
        body = NULL; /* the capture has cut it */
    q2p_pieces_add(&sending->pieces, packet->syn, datagram->frame, body, packet->body_at.len);
    if (!counts(sending) && sending->pieces.count > sending->fragments / 2)
        count_in(sending);
    if (sending->pieces.count == sending->fragments) {
        sending->complete_frame = datagram->frame;
        sending->complete_time = datagram->time;
    }
}

/* Somebody asks for a fragment. True if nobody was waiting for it. */
static bool note_ask(struct q2p_transmission *sending, uint32_t syn, uint32_t frame)
{
    struct q2p_ask *newest = newest_ask(sending, syn), *fresh;

    if (newest != NULL && newest->answered_frame == 0) {
        newest->asked_frame = frame; /* asked again */
        return false;
    }
    if (file.asks == ASKS_MAX || (sending->length_known && syn >= sending->fragments))
        return false;
    file.asks++;
    if (sending->asks == NULL)
        sending->asks = wmem_map_new(wmem_file_scope(), g_direct_hash, g_direct_equal);
    fresh = wmem_new0(wmem_file_scope(), struct q2p_ask);
    fresh->asked_frame = frame;
    fresh->before = newest;
    wmem_map_insert(sending->asks, GUINT_TO_POINTER(syn), fresh);
    return true;
}

/* A fragment comes. True if that is because somebody has asked for it. */
static bool note_answer(const struct q2p_transmission *sending, uint32_t syn, uint32_t frame)
{
    struct q2p_ask *newest = newest_ask(sending, syn);

    if (newest == NULL || newest->answered_frame != 0)
        return false;
    newest->answered_frame = frame;
    return true;
}

static enum q2p_role place_fragment(struct q2p_transmission *sending, struct q2p_visit *visit,
                                    const struct q2p__datagram *datagram)
{
    const struct q2p_packet *packet = datagram->packet;

    visit->length_changed = packet->length != 0 && packet->length != sending->length;
    visit->after_complete = is_whole(sending);
    if (!sending->length_known)
        return Q2P_ROLE_STRAY;
    if (body_len_of(datagram) != q2p_wire_share(sending->length, packet->syn))
        return Q2P_ROLE_BAD;

    bool asked = note_answer(sending, packet->syn, datagram->frame);
    bool again = packet->length_at.len > 0 && packet->length == 0; /* says so itself */
    visit->earlier_frame = q2p_pieces_frame(&sending->pieces, packet->syn);
    if (visit->earlier_frame != 0) {
        if (asked && sending->gave_up_frame == 0)
            sending->wanted--; /* as it passed before, the ask for it was counted */
        enum q2p_role role = role_of_known(sending, datagram);
        return asked && role == Q2P_ROLE_DUPLICATE ? Q2P_ROLE_RESENT : role;
    }
    if (is_closed(sending))
        return Q2P_ROLE_LATE;
    if (!visit->foreign)
        take_in(sending, datagram);
    return asked || again ? Q2P_ROLE_RESENT : Q2P_ROLE_PIECE;
}

static void learn_fragment(struct q2p_visit *visit, const struct q2p__datagram *datagram)
{
    bool sound = (datagram->status == Q2P_OK || datagram->status == Q2P_ERR_CUT) &&
                 datagram->packet->syn_at.len > 0;

    if (!sound) {
        visit->role = Q2P_ROLE_BAD;
        visit->transmission = q2p__transmission_find(datagram->talk, datagram->side,
                                                     datagram->bytes.at, datagram->packet->hash_at);
        return;
    }
    visit->transmission =
        datagram->packet->length != 0 ? open_sending(datagram) : known_sending(datagram);
    visit->role = (uint8_t)place_fragment(visit->transmission, visit, datagram) & 0xff;
}

/* The sending that an answer belongs to. Who asks for the rest has heard of it, so it counts. */
static struct q2p_transmission *answered_sending(const struct q2p__datagram *datagram)
{
    return q2p__transmission_find(datagram->talk, !datagram->side, datagram->bytes.at,
                                  datagram->packet->hash_at);
}

static void learn_ready(struct q2p_visit *visit, const struct q2p__datagram *datagram)
{
    struct q2p_transmission *sending = answered_sending(datagram);

    if (sending != NULL && sending->again != NULL)
        sending = sending->again;
    visit->transmission = sending;
    visit->role = sending != NULL ? Q2P_ROLE_READY : Q2P_ROLE_ORPHAN;
    if (sending != NULL && sending->ready_frame == 0)
        sending->ready_frame = datagram->frame, sending->ready_time = datagram->time;
}

static void learn_list(struct q2p_visit *visit, const struct q2p__datagram *datagram)
{
    const struct q2p_packet *packet = datagram->packet;
    struct q2p_transmission *sending = answered_sending(datagram);

    if (sending == NULL || packet->hash_at.len == 0) {
        visit->role = packet->hash_at.len == 0 ? Q2P_ROLE_BAD : Q2P_ROLE_ORPHAN;
        return;
    }
    if (sending->again != NULL) {
        sending = sending->again;
        count_in(sending);
    }
    visit->transmission = sending;
    visit->after_complete = is_whole(sending);
    visit->role = Q2P_ROLE_ASK;
    for (uint32_t i = 0; i < packet->lost_count; i++) {
        uint32_t syn = q2p_wire_lost(packet, datagram->bytes.at, i);
        bool passed = q2p_pieces_frame(&sending->pieces, syn) != 0;
        bool fresh = note_ask(sending, syn, datagram->frame);
        visit->asked_seen |= passed;
        sending->wanted += passed && fresh && sending->gave_up_frame == 0;
    }
    if (datagram->status == Q2P_OK && packet->lost_count == 0) {
        visit->role = Q2P_ROLE_GAVE_UP;
        if (sending->gave_up_frame == 0)
            sending->gave_up_frame = datagram->frame;
    }
}

void q2p__transmission_learn(struct q2p_visit *visit, const struct q2p__datagram *datagram)
{
    switch (q2p_event_shape(datagram->packet->event)) {
    case Q2P_SHAPE_START:
        learn_start(visit, datagram);
        break;
    case Q2P_SHAPE_HASH:
        learn_ready(visit, datagram);
        break;
    case Q2P_SHAPE_FRAGMENT:
        learn_fragment(visit, datagram);
        break;
    case Q2P_SHAPE_LIST:
        learn_list(visit, datagram);
        break;
    case Q2P_SHAPE_BARE:
    case Q2P_SHAPE_ADDRESS:
    case Q2P_SHAPE_TEXT:
        return;
    }
    if (visit->transmission != NULL)
        visit->transmission->last_frame = datagram->frame;
}

const struct q2p_transmission *q2p_transmission_shown(const struct q2p_visit *visit)
{
    const struct q2p_transmission *transmission = visit->transmission;

    if (visit->role == Q2P_ROLE_JOIN || visit->role == Q2P_ROLE_STEP)
        return NULL; /* it is about a hole punch */
    if (transmission != NULL && !counts(transmission))
        return transmission->earlier;
    return transmission;
}

const struct q2p_transmission *q2p_transmission_at(uint32_t index)
{
    if (index >= wmem_array_get_count(file.all))
        return NULL;
    return *(struct q2p_transmission **)wmem_array_index(file.all, index);
}

const uint8_t *q2p_transmission_data(const struct q2p_transmission *transmission)
{
    /* Put together when first asked for, which changes nothing that one can see. */
    struct q2p_pieces *pieces = &((struct q2p_transmission *)transmission)->pieces;

    if (!q2p_transmission_complete(transmission))
        return NULL;
    return q2p_pieces_join(pieces, transmission->length);
}

static bool is_wanted(const struct q2p_transmission *transmission, uint32_t syn)
{
    const struct q2p_ask *ask = newest_ask(transmission, syn);

    return ask != NULL && ask->answered_frame == 0;
}

uint32_t q2p_transmission_missing(const struct q2p_transmission *transmission, uint32_t *out,
                                  uint32_t max)
{
    const struct q2p_pieces *pieces = &transmission->pieces;
    uint32_t found = 0;

    if (transmission->wanted == 0)
        return q2p_pieces_missing(pieces, transmission->fragments, out, max);
    for (uint32_t syn = 0; syn < transmission->fragments && found < max; syn++)
        if (q2p_pieces_frame(pieces, syn) == 0 || is_wanted(transmission, syn))
            out[found++] = syn;
    return found;
}

/* The newest asks of a fragment are looked through, so many of them. */
#define ASKS_SEEN_MAX 64

uint32_t q2p_transmission_asked(const struct q2p_transmission *transmission, uint32_t syn,
                                uint32_t frame)
{
    const struct q2p_ask *ask = newest_ask(transmission, syn);

    for (int i = 0; i < ASKS_SEEN_MAX && ask != NULL; i++, ask = ask->before)
        if (ask->answered_frame == frame)
            return ask->asked_frame;
    return 0;
}

uint32_t q2p_transmission_answered(const struct q2p_transmission *transmission, uint32_t syn,
                                   uint32_t frame)
{
    const struct q2p_ask *ask = newest_ask(transmission, syn);
    uint32_t answered = 0;

    for (int i = 0; i < ASKS_SEEN_MAX && ask != NULL && ask->asked_frame >= frame; i++) {
        answered = ask->answered_frame;
        ask = ask->before;
    }
    return answered;
}

const char *q2p_role_name(enum q2p_role role)
{
    static const char *const names[] = {
#define XX(name, word) [Q2P_ROLE_##name] = (word),
        Q2P_ROLE_MAP(XX)
#undef XX
    };
    return names[role];
}

uint32_t q2p_transmission_refused(const struct q2p_transmission *transmission)
{
    const struct q2p_side *sender = &transmission->talk->sides[transmission->side];

    return sender->refused_frame != 0 && sender->refuser_id != transmission->network_id
               ? sender->refused_frame
               : 0;
}

bool q2p_transmission_unread(const struct q2p_transmission *transmission)
{
    const struct q2p_side *receiver = &transmission->talk->sides[!transmission->side];

    /* Nodes of ours read every dialect, so a node that merely has spoken options before proves
     * nothing; one that goes on with it after it was spoken to in classic has not understood. */
    return transmission->dialect == Q2P_DIALECT_CLASSIC &&
           receiver->frame_in[Q2P_DIALECT_CLASSIC] == 0 &&
           receiver->frame_in[Q2P_DIALECT_OPTIONS] > transmission->first_frame;
}

const char *q2p_transmission_verdict(const struct q2p_transmission *transmission)
{
    bool whole = is_whole(transmission) && transmission->wanted == 0;

    if (!transmission->length_known)
        return "orphan";
    if (q2p_transmission_refused(transmission) != 0)
        return "foreign-network";
    if (q2p_transmission_unread(transmission))
        return "unheard";
    if (transmission->gave_up_frame != 0) /* the receiver has the last word */
        return whole ? "gave-up-whole" : "gave-up";
    if (transmission->fragments == 0)
        return "empty";
    return whole ? "complete" : "missing";
}

bool q2p_transmission_complete(const struct q2p_transmission *transmission)
{
    return is_whole(transmission) && transmission->wanted == 0 &&
           q2p_transmission_refused(transmission) == 0 && transmission->gave_up_frame == 0 &&
           !q2p_transmission_unread(transmission);
}
