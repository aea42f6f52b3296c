/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-state.c - endpoints, talks, visits, and which dialect a datagram is read in. What becomes of
 * transmissions is in q2p-transmission.c. Everything lives in file scope and is found by hash;
 * nothing walks a list that strangers can make long.
 */
#include "q2p-state.h"

#include <q2p/status.h>

#include "q2p-punch.h"
#include "q2p-state-private.h"

#define VISITS_BITS 10 /* frames per block of visits */
#define RECENT_BITS 8  /* directions of talks that are found at once */

/* What belongs to the open capture. */
static struct {
    wmem_map_t *endpoints;     /* by address, port, interface */
    wmem_map_t *talks;         /* by both endpoints */
    struct q2p_visit **visits; /* by frame number, in blocks that exist where Q2P is */
    uint32_t visit_blocks;     /* that there is room for */
    struct q2p_talk *recent[1 << RECENT_BITS];
    enum q2p_dialect only; /* the one dialect ever proven, UNKNOWN if none or several */
    bool several;
} file;

static unsigned endpoint_hash(const void *key)
{
    const struct q2p_endpoint *endpoint = key;
    return add_address_to_hash(endpoint->port ^ endpoint->interface_id << 16, &endpoint->addr);
}

static gboolean endpoint_equal(const void *a, const void *b)
{
    const struct q2p_endpoint *one = a, *other = b;
    return one->port == other->port && one->interface_id == other->interface_id &&
           addresses_equal(&one->addr, &other->addr);
}

static unsigned talk_hash(const void *key)
{
    const struct q2p_talk *talk = key;
    return wmem_strong_hash((const uint8_t *)talk->ends, sizeof talk->ends);
}

static gboolean talk_equal(const void *a, const void *b)
{
    const struct q2p_talk *one = a, *other = b;
    return one->ends[0] == other->ends[0] && one->ends[1] == other->ends[1];
}

static void begin_file(void)
{
    memset(&file, 0, sizeof file);
    file.endpoints = wmem_map_new(wmem_file_scope(), endpoint_hash, endpoint_equal);
    file.talks = wmem_map_new(wmem_file_scope(), talk_hash, talk_equal);
    q2p__transmissions_begin();
    q2p_punches_begin();
    q2p_pieces_begin();
}

static void end_file(void)
{
    memset(&file, 0, sizeof file);
}

void q2p_state_register(void)
{
    register_init_routine(begin_file);
    register_cleanup_routine(end_file);
}

static struct q2p_visit **block_of(uint32_t frame)
{
    uint32_t block = frame >> VISITS_BITS;

    if (block >= file.visit_blocks) {
        uint32_t blocks = MAX(block + 1, file.visit_blocks * 2);
        file.visits = wmem_realloc(wmem_file_scope(), file.visits, blocks * sizeof *file.visits);
        memset(file.visits + file.visit_blocks, 0,
               (blocks - file.visit_blocks) * sizeof *file.visits);
        file.visit_blocks = blocks;
    }
    return &file.visits[block];
}

struct q2p_visit *q2p_state_visit(const packet_info *pinfo)
{
    struct q2p_visit **block = block_of(pinfo->num);

    if (*block == NULL && pinfo->fd->visited)
        return NULL;
    if (*block == NULL)
        *block = wmem_alloc0_array(wmem_file_scope(), struct q2p_visit, 1 << VISITS_BITS);

    struct q2p_visit *visit = &(*block)[pinfo->num & ((1U << VISITS_BITS) - 1)];
    if (visit->layer == 0)
        visit->layer = (uint8_t)pinfo->curr_layer_num;
    return visit->layer == pinfo->curr_layer_num ? visit : NULL;
}

static struct q2p_endpoint *endpoint_of(const address *addr, uint32_t port, uint32_t interface_id)
{
    struct q2p_endpoint key = {.addr = *addr, .port = port, .interface_id = interface_id};
    struct q2p_endpoint *endpoint = wmem_map_lookup(file.endpoints, &key);

    if (endpoint == NULL) {
        endpoint = wmem_new0(wmem_file_scope(), struct q2p_endpoint);
        *endpoint = key;
        copy_address_wmem(wmem_file_scope(), &endpoint->addr, addr);
        wmem_map_insert(file.endpoints, endpoint, endpoint);
    }
    return endpoint;
}

struct q2p_endpoint *q2p__endpoint_find(const struct q2p_addr *addr, uint32_t interface_id)
{
    struct q2p_endpoint key = {.port = addr->port, .interface_id = interface_id};

    set_address(&key.addr, addr->ip_len == sizeof(ws_in4_addr) ? AT_IPv4 : AT_IPv6, addr->ip_len,
                addr->ip);
    return wmem_map_lookup(file.endpoints, &key);
}

const struct q2p_side *q2p__side_between(struct q2p_endpoint *from, struct q2p_endpoint *to)
{
    struct q2p_talk key = {.ends = {MIN(from, to), MAX(from, to)}};
    const struct q2p_talk *talk = wmem_map_lookup(file.talks, &key);

    return talk == NULL ? NULL : &talk->sides[talk->sides[0].from == from ? 0 : 1];
}

static bool is_end(const struct q2p_endpoint *end, const address *addr, uint32_t port,
                   uint32_t interface_id)
{
    return end->port == port && end->interface_id == interface_id &&
           addresses_equal(&end->addr, addr);
}

/* Where the talk of these two was put when it was seen last. */
static struct q2p_talk **recent_of(const packet_info *pinfo, uint32_t interface_id)
{
    uint32_t sum = pinfo->srcport * 31 + pinfo->destport * 37 + interface_id;

    sum = add_address_to_hash(sum, &pinfo->src);
    return &file.recent[(sum * 2654435769U) >> (32 - RECENT_BITS)]; /* golden ratio */
}

static struct q2p_talk *talk_between(struct q2p_endpoint *from, struct q2p_endpoint *to)
{
    struct q2p_talk key = {.ends = {MIN(from, to), MAX(from, to)}};
    struct q2p_talk *talk = wmem_map_lookup(file.talks, &key);

    if (talk == NULL) {
        talk = wmem_new0(wmem_file_scope(), struct q2p_talk);
        *talk = key;
        talk->sides[0].from = key.ends[0];
        talk->sides[1].from = key.ends[1];
        wmem_map_insert(file.talks, talk, talk);
    }
    return talk;
}

/* The two that talk in this packet, made if need be, and which of the sides sends it. */
static struct q2p_talk *talk_of(const packet_info *pinfo, uint8_t *side)
{
    uint32_t interface_id = q2p_compat_interface(pinfo);
    struct q2p_talk **recent = recent_of(pinfo, interface_id), *talk = *recent;

    for (uint8_t i = 0; i < 2 && talk != NULL; i++)
        if (is_end(talk->sides[i].from, &pinfo->src, pinfo->srcport, interface_id) &&
            is_end(talk->sides[!i].from, &pinfo->dst, pinfo->destport, interface_id)) {
            *side = i;
            return talk;
        }

    struct q2p_endpoint *from = endpoint_of(&pinfo->src, pinfo->srcport, interface_id);
    struct q2p_endpoint *to = endpoint_of(&pinfo->dst, pinfo->destport, interface_id);
    *recent = talk_between(from, to);
    *side = from == (*recent)->sides[0].from ? 0 : 1;
    return *recent;
}

/* The dialect of the transmission that this datagram answers, UNKNOWN if it answers none. */
static enum q2p_dialect dialect_of_question(const struct q2p_talk *talk, uint8_t side,
                                            const struct q2p__bytes *bytes)
{
    const struct q2p_endpoint *asker = talk->sides[!side].from;

    for (int i = Q2P_DIALECT_OPTIONS; i >= Q2P_DIALECT_EARLY; i--) {
        enum q2p_dialect dialect = (enum q2p_dialect)i;
        struct q2p_packet packet;

        if (dialect == Q2P_DIALECT_EARLY && asker->dialect != Q2P_DIALECT_EARLY)
            break;
        q2p_wire_read(&packet, dialect, bytes->at, bytes->have, bytes->total);
        if (packet.event != Q2P_EV_OPTIONSFEEDBACK && packet.event != Q2P_EV_TRANSPORT_FAILED)
            continue;
        const struct q2p_transmission *question =
            q2p__transmission_find(talk, !side, bytes->at, packet.hash_at);
        if (question != NULL && question->dialect == dialect)
            return dialect;
    }
    return Q2P_DIALECT_UNKNOWN;
}

/* Nothing is proven: the most likely dialect that has this event number at all. */
static enum q2p_dialect guess_dialect(const struct q2p_talk *talk, uint8_t side, uint16_t number)
{
    const enum q2p_dialect order[] = {
        talk->sides[side].from->dialect,
        Q2P_DIALECT_UNKNOWN,
        talk->sides[!side].from->dialect,
        file.only,
        Q2P_DIALECT_CLASSIC,
        Q2P_DIALECT_OPTIONS,
    };

    for (size_t i = 0; i < array_length(order); i++)
        if (q2p_event_of(order[i], number) != Q2P_EV_UNKNOWN)
            return order[i];
    for (size_t i = 0; i < array_length(order); i++)
        if (order[i] != Q2P_DIALECT_UNKNOWN)
            return order[i];
    return Q2P_DIALECT_UNKNOWN;
}

static void note_dialect(struct q2p_talk *talk, uint8_t side, enum q2p_dialect dialect,
                         uint32_t frame)
{
    talk->sides[side].frame_in[dialect] = frame;
    talk->sides[side].from->dialect = dialect;
    if (file.only != Q2P_DIALECT_UNKNOWN && file.only != dialect)
        file.several = true;
    file.only = file.several ? Q2P_DIALECT_UNKNOWN : dialect;
}

/* Whether the sender belongs to another network than the receiver is known to (PROTOCOL.md 5.4). */
static void note_network(struct q2p_visit *visit, const struct q2p__datagram *datagram)
{
    const struct q2p_packet *packet = datagram->packet;
    struct q2p_side *other = &datagram->talk->sides[!datagram->side];
    struct q2p_endpoint *from = datagram->talk->sides[datagram->side].from;
    const struct q2p_endpoint *to = other->from;

    visit->foreign = packet->event != Q2P_EV_CONNECT_FAILED && to->network_id_known &&
                     to->network_id != packet->network_id;
    from->network_id = packet->network_id;
    from->network_id_known = true;
    if (packet->event == Q2P_EV_CONNECT_FAILED && other->refused_frame == 0) {
        other->refused_frame = datagram->frame;
        other->refuser_id = packet->network_id;
    }
}

/* Most datagrams are one more fragment of what is on its way: no need to ask what else they could
 * be. Leaves it read in *packet. */
static bool goes_on(const struct q2p__datagram *datagram, struct q2p_packet *packet)
{
    const struct q2p__bytes *bytes = &datagram->bytes;
    enum q2p_dialect dialect = datagram->talk->sides[datagram->side].from->dialect;

    if (dialect == Q2P_DIALECT_UNKNOWN ||
        q2p_wire_read(packet, dialect, bytes->at, bytes->have, bytes->total) != Q2P_OK ||
        packet->event != Q2P_EV_TRANSPORT)
        return false;
    const struct q2p_transmission *known =
        q2p__transmission_find(datagram->talk, datagram->side, bytes->at, packet->hash_at);
    return known != NULL && known->dialect == dialect && known->length_known &&
           packet->body_at.len == q2p_wire_share(known->length, packet->syn);
}

/* Finds out how to read a datagram, if that is not forced, and says so in the visit. */
static void settle_dialect(struct q2p_visit *visit, const struct q2p__datagram *datagram,
                           enum q2p_dialect forced)
{
    const struct q2p__bytes *bytes = &datagram->bytes;
    enum q2p_dialect dialect = forced;
    struct q2p_packet packet;

    if (dialect == Q2P_DIALECT_UNKNOWN)
        dialect = dialect_of_question(datagram->talk, datagram->side, bytes);
    if (dialect == Q2P_DIALECT_UNKNOWN)
        dialect = q2p_wire_dialect(bytes->at, bytes->have, bytes->total);
    if (dialect != Q2P_DIALECT_UNKNOWN) {
        if (!datagram->quoted)
            note_dialect(datagram->talk, datagram->side, dialect, datagram->frame);
    } else {
        q2p_wire_read(&packet, Q2P_DIALECT_UNKNOWN, bytes->at, bytes->have, bytes->total);
        if (packet.event_at.len > 0)
            dialect = guess_dialect(datagram->talk, datagram->side, packet.number);
        visit->assumed = dialect != Q2P_DIALECT_UNKNOWN &&
                         dialect != datagram->talk->sides[datagram->side].from->dialect;
    }
    visit->dialect = (unsigned)dialect & 3U;
}

static void note_sign_of_life(struct q2p_endpoint *from, uint32_t frame)
{
    if (from->first_frame == 0)
        from->first_frame = frame;
    from->last_frame = frame;
}

static q2p_time time_of(const packet_info *pinfo)
{
    return (q2p_time)pinfo->abs_ts.secs * Q2P_SECOND + pinfo->abs_ts.nsecs;
}

/* Leaves the message in *packet and returns what is wrong with it. */
static int learn(struct q2p_visit *visit, struct q2p__datagram *datagram, enum q2p_dialect forced,
                 struct q2p_packet *packet)
{
    const struct q2p__bytes *bytes = &datagram->bytes;

    visit->seen = true;
    datagram->packet = packet;
    if (forced == Q2P_DIALECT_UNKNOWN && !datagram->quoted && goes_on(datagram, packet)) {
        visit->dialect = (unsigned)packet->dialect & 3U;
        note_dialect(datagram->talk, datagram->side, packet->dialect, datagram->frame);
        datagram->status = Q2P_OK;
    } else {
        settle_dialect(visit, datagram, forced);
        datagram->status = q2p_wire_read(packet, (enum q2p_dialect)visit->dialect, bytes->at,
                                         bytes->have, bytes->total);
    }
    if (datagram->quoted || packet->event == Q2P_EV_UNKNOWN)
        return datagram->status;
    note_network(visit, datagram);
    note_sign_of_life(datagram->talk->sides[datagram->side].from, datagram->frame);
    q2p__punch_learn(visit, datagram);
    q2p__transmission_learn(visit, datagram);
    return datagram->status;
}

int q2p_state_learn(struct q2p_visit *visit, const packet_info *pinfo, enum q2p_dialect forced,
                    tvbuff_t *tvb, struct q2p_packet *packet)
{
    struct q2p__datagram datagram = {.frame = pinfo->num,
                                     .time = time_of(pinfo),
                                     .quoted = pinfo->flags.in_error_pkt,
                                     .bytes = q2p__bytes_of(tvb)};

    datagram.talk = talk_of(pinfo, &datagram.side);
    return learn(visit, &datagram, forced, packet);
}

/* The first message in a hint that has a key, in whichever dialect; or the last one without. */
static struct q2p_packet read_hint(const struct q2p__bytes *bytes)
{
    struct q2p_packet packet = {0};

    for (int i = Q2P_DIALECT_OPTIONS; i >= Q2P_DIALECT_EARLY && packet.hash_at.len == 0; i--)
        q2p_wire_read(&packet, (enum q2p_dialect)i, bytes->at, bytes->have, bytes->total);
    return packet;
}

/*
 * Two weak hints confirm each other if the second answers the first (PROTOCOL.md 4). Four bytes of
 * zero, a JOIN, are what many send to keep a NAT open: the CONNECT of a seed must be its first
 * hint.
 */
static bool answers(const struct q2p__bytes *answer_bytes, bool first_hint,
                    const struct q2p__bytes *question_bytes)
{
    struct q2p_packet answer = read_hint(answer_bytes), question = read_hint(question_bytes);

    if (answer.network_id != question.network_id || answer.number == question.number ||
        answer.hash_at.len != question.hash_at.len)
        return false;
    if (answer.hash_at.len > 0)
        return memcmp(answer_bytes->at + answer.hash_at.at,
                      question_bytes->at + question.hash_at.at, Q2P_HASH_LEN) == 0;
    if (question.event == Q2P_EV_JOIN)
        return answer.event == Q2P_EV_CONNECT && first_hint;
    return question.event == Q2P_EV_CONNECT && answer.event == Q2P_EV_CONNECTED;
}

/* The note in place `i`, counted from the oldest one that is kept. */
static struct q2p__datagram note_of(struct q2p_talk *talk, uint8_t side, uint32_t i)
{
    const struct q2p_hints *hints = talk->sides[side].hints;
    uint32_t oldest = hints->count > Q2P_HINTS_MAX ? hints->count % Q2P_HINTS_MAX : 0;
    uint32_t at = (oldest + i) % Q2P_HINTS_MAX;

    return (struct q2p__datagram){
        .talk = talk,
        .side = side,
        .frame = hints->notes[at].frame,
        .time = hints->notes[at].time,
        .bytes = {hints->notes[at].bytes, hints->notes[at].len, hints->notes[at].len}};
}

static uint32_t notes_count(const struct q2p_talk *talk, uint8_t side)
{
    const struct q2p_hints *hints = talk->sides[side].hints;
    return hints == NULL ? 0 : MIN(hints->count, Q2P_HINTS_MAX);
}

static void add_note(struct q2p_side *speaker, const packet_info *pinfo,
                     const struct q2p__bytes *bytes)
{
    if (bytes->have != bytes->total || bytes->have > Q2P_HINT_LEN_MAX)
        return;
    if (speaker->hints == NULL)
        speaker->hints = wmem_new0(wmem_file_scope(), struct q2p_hints);

    uint32_t at = speaker->hints->count++ % Q2P_HINTS_MAX;
    speaker->hints->notes[at].frame = pinfo->num;
    speaker->hints->notes[at].time = time_of(pinfo);
    speaker->hints->notes[at].len = (uint8_t)bytes->have;
    memcpy(speaker->hints->notes[at].bytes, bytes->at, bytes->have);
}

/* Learns from the notes of both sides, in the order of the capture. */
static void learn_notes(struct q2p_talk *talk)
{
    uint32_t next[2] = {0, 0};

    while (next[0] < notes_count(talk, 0) || next[1] < notes_count(talk, 1)) {
        bool none = next[0] == notes_count(talk, 0);
        uint8_t side = none || (next[1] < notes_count(talk, 1) &&
                                note_of(talk, 1, next[1]).frame < note_of(talk, 0, next[0]).frame);
        struct q2p__datagram note = note_of(talk, side, next[side]++);

        learn(&(struct q2p_visit){0}, &note, Q2P_DIALECT_UNKNOWN, &(struct q2p_packet){0});
    }
    talk->sides[0].hints = talk->sides[1].hints = NULL;
}

bool q2p_state_convinces(const packet_info *pinfo, tvbuff_t *tvb)
{
    struct q2p__bytes bytes = q2p__bytes_of(tvb);
    enum q2p_likeness likeness = q2p_wire_likeness(bytes.at, bytes.have, bytes.total);
    uint8_t side;

    if (likeness == Q2P_LIKENESS_NONE)
        return false;

    struct q2p_talk *talk = talk_of(pinfo, &side);
    struct q2p_endpoint *from = talk->sides[side].from, *to = talk->sides[!side].from;
    bool sure = likeness == Q2P_LIKENESS_STRONG;
    for (uint32_t i = 0; i < notes_count(talk, !side) && !sure; i++) {
        struct q2p__datagram question = note_of(talk, !side, i);
        sure = answers(&bytes, talk->sides[side].hints == NULL, &question.bytes);
    }
    if (sure)
        from->proven = to->proven = true;
    if (from->proven || to->proven) {
        learn_notes(talk);
        return true;
    }
    add_note(&talk->sides[side], pinfo, &bytes);
    return false;
}
