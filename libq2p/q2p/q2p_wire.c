/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_wire.c - reads and writes the messages of PROTOCOL.md 3, and answers from the maps of
 * wire.h. Which dialect a datagram is in, and whether it is Q2P at all, is for q2p_dialect.c.
 */
#include <q2p/status.h>
#include <q2p/wire.h>

#include <string.h>

#include "base_buf.h"

struct event_row {
    int16_t number[Q2P_DIALECT_OPTIONS + 1]; /* by dialect; unknown: the one all of them agree on */
    enum q2p_shape shape;
    const char *name, *title, *section;
};

static const struct event_row event_rows[] = {
#define XX(name, early, classic, options, shape, title, section)                                   \
    {{(early) == (classic) && (classic) == (options) ? (classic) : -1, early, classic, options},   \
     Q2P_SHAPE_##shape,                                                                            \
     #name,                                                                                        \
     title,                                                                                        \
     section},
    Q2P_EVENT_MAP(XX)
#undef XX
        {{-1, -1, -1, -1}, Q2P_SHAPE_BARE, "UNKNOWN", "Unknown", "2.3"},
};

static const struct event_row *row_of(enum q2p_event event)
{
    return &event_rows[(unsigned)event < Q2P_EV_UNKNOWN ? event : Q2P_EV_UNKNOWN];
}

const char *q2p_event_name(enum q2p_event event)
{
    return row_of(event)->name;
}

const char *q2p_event_title(enum q2p_event event)
{
    return row_of(event)->title;
}

const char *q2p_event_section(enum q2p_event event)
{
    return row_of(event)->section;
}

enum q2p_shape q2p_event_shape(enum q2p_event event)
{
    return row_of(event)->shape;
}

const char *q2p_dialect_name(enum q2p_dialect dialect)
{
    switch (dialect) {
#define XX(name, number, word, sentence)                                                           \
    case Q2P_DIALECT_##name:                                                                       \
        return word;
        Q2P_DIALECT_MAP(XX)
#undef XX
    }
    return "unknown";
}

int q2p_event_number(enum q2p_dialect dialect, enum q2p_event event)
{
    return (unsigned)dialect <= Q2P_DIALECT_OPTIONS ? row_of(event)->number[dialect] : -1;
}

/* Every dialect numbers its events in the order of the map, so that none is in front of its number.
 */
#define XX(name, early, classic, options, shape, title, section)                                   \
    _Static_assert((early) <= (int)Q2P_EV_##name && (classic) <= (int)Q2P_EV_##name &&             \
                       (options) <= (int)Q2P_EV_##name,                                            \
                   #name " is in front of its number");
Q2P_EVENT_MAP(XX)
#undef XX

enum q2p_event q2p_event_of(enum q2p_dialect dialect, uint16_t number)
{
    for (int event = number; event < Q2P_EV_UNKNOWN; event++)
        if (q2p_event_number(dialect, (enum q2p_event)event) == number)
            return (enum q2p_event)event;
    return Q2P_EV_UNKNOWN;
}

uint32_t q2p_wire_fragments(uint32_t length)
{
    return length / Q2P_FRAGMENT_LEN + (length % Q2P_FRAGMENT_LEN != 0);
}

uint32_t q2p_wire_share(uint32_t length, uint32_t syn)
{
    uint32_t fragments = q2p_wire_fragments(length);

    if (syn >= fragments)
        return 0;
    return syn + 1 < fragments ? Q2P_FRAGMENT_LEN : length - syn * Q2P_FRAGMENT_LEN;
}

/* Keeps the first complaint; a cut capture is the weakest of them, as nothing is wrong there. */
static void complain(struct q2p__reader *reader, int status)
{
    if (reader->status == Q2P_OK || reader->status == Q2P_ERR_CUT)
        reader->status = status;
}

static void read_address(struct q2p_packet *out, struct q2p__reader *reader)
{
    q2p__read_rest(reader, &out->address_at);
    if (reader->status == Q2P_OK)
        reader->status = q2p_addr_parse(
            &out->address, (const char *)reader->bytes + out->address_at.at, out->address_at.len);
}

static void read_fragment(struct q2p_packet *out, struct q2p__reader *reader)
{
    q2p__read_skip(reader, Q2P_HASH_LEN, &out->hash_at);
    if (out->dialect != Q2P_DIALECT_OPTIONS)
        out->length = q2p__read_u32(reader, &out->length_at);
    out->syn = q2p__read_u32(reader, &out->syn_at);
    if (reader->status != Q2P_OK)
        return;

    size_t body_len = q2p__read_rest(reader, &out->body_at);
    if (body_len == 0)
        complain(reader, Q2P_ERR_EMPTY);
    else if (out->length != 0 && out->syn >= q2p_wire_fragments(out->length))
        complain(reader, Q2P_ERR_SYN);
    else if (out->length != 0 && body_len != q2p_wire_share(out->length, out->syn))
        complain(reader, Q2P_ERR_SHARE);
    else if (body_len > Q2P_FRAGMENT_LEN)
        complain(reader, Q2P_ERR_SHARE);
}

static void read_list(struct q2p_packet *out, struct q2p__reader *reader)
{
    q2p__read_skip(reader, Q2P_HASH_LEN, &out->hash_at);
    if (reader->status != Q2P_OK)
        return;

    size_t list_len = q2p__read_rest(reader, &out->lost_at);
    out->lost_count = out->lost_at.len / 4;
    if (list_len % 4 != 0)
        complain(reader, Q2P_ERR_LIST);
}

/* PROTOCOL.md 6.8: just this length, which no message of an original has. */
static void read_extension(struct q2p_packet *out, struct q2p__reader *reader)
{
    if (reader->total != Q2P_EXTENDED_LEN || out->dialect != Q2P_DIALECT_OPTIONS)
        return;
    q2p__read_skip(reader, 1, &out->state_at);
    if (out->state_at.len > 0)
        out->state = reader->bytes[out->state_at.at];
    out->token = q2p__read_u16(reader, &out->token_at);
    if (out->event == Q2P_EV_OPTIONSFEEDBACK)
        out->received = q2p__read_u32(reader, &out->received_at);
}

static void read_shape(struct q2p_packet *out, struct q2p__reader *reader)
{
    switch (q2p_event_shape(out->event)) {
    case Q2P_SHAPE_BARE:
        break;
    case Q2P_SHAPE_ADDRESS:
        read_address(out, reader);
        break;
    case Q2P_SHAPE_TEXT:
        q2p__read_rest(reader, &out->reason_at);
        break;
    case Q2P_SHAPE_START:
        q2p__read_skip(reader, Q2P_HASH_LEN, &out->hash_at);
        out->length = q2p__read_u32(reader, &out->length_at);
        read_extension(out, reader);
        break;
    case Q2P_SHAPE_HASH:
        q2p__read_skip(reader, Q2P_HASH_LEN, &out->hash_at);
        read_extension(out, reader);
        break;
    case Q2P_SHAPE_FRAGMENT:
        read_fragment(out, reader);
        break;
    case Q2P_SHAPE_LIST:
        read_list(out, reader);
        break;
    }
}

int q2p_wire_read(struct q2p_packet *out, enum q2p_dialect dialect, const uint8_t *bytes,
                  size_t have, size_t total)
{
    /* copied: what compilers clear so much with takes twice as long (`rep stos`) */
    static const struct q2p_packet nothing;
    struct q2p__reader reader;

    *out = nothing;
    out->dialect = dialect;
    out->event = Q2P_EV_UNKNOWN;
    q2p__reader_init(&reader, bytes, have, total);
    out->network_id = q2p__read_u16(&reader, &out->network_id_at);
    out->number = q2p__read_u16(&reader, &out->event_at);
    if (reader.status != Q2P_OK)
        return reader.status;

    out->event = q2p_event_of(dialect, out->number);
    if (out->event == Q2P_EV_UNKNOWN)
        reader.status = Q2P_ERR_UNKNOWN;
    else
        read_shape(out, &reader);

    bool bare = out->event == Q2P_EV_UNKNOWN || q2p_event_shape(out->event) == Q2P_SHAPE_BARE;
    out->trailing_at = (struct q2p_span){(uint32_t)reader.at, (uint32_t)(have - reader.at)};
    if (reader.status == Q2P_ERR_SHORT || reader.status == Q2P_ERR_CUT)
        out->trailing_at.len = 0; /* that is the beginning of a field, not what is behind one */
    if (!bare && reader.status == Q2P_OK && reader.at < total)
        reader.status = Q2P_ERR_LENGTH; /* the original ignores such a message altogether */
    if (total > Q2P_DATAGRAM_MAX && reader.status == Q2P_OK)
        reader.status = Q2P_ERR_OVERSIZE;
    return reader.status;
}

size_t q2p_wire_joined(const uint8_t *bytes, size_t have, size_t total)
{
    enum { COMMON = Q2P_HEADER_LEN + Q2P_HASH_LEN };
    const size_t lens[] = {COMMON + 4 + Q2P_FRAGMENT_LEN, COMMON + 8 + Q2P_FRAGMENT_LEN};

    for (size_t i = 0; total > Q2P_DATAGRAM_MAX && i < sizeof lens / sizeof *lens; i++)
        if (have >= lens[i] + COMMON && memcmp(bytes, bytes + lens[i], COMMON) == 0)
            return (total + lens[i] - 1) / lens[i];
    return 1;
}

uint32_t q2p_wire_lost(const struct q2p_packet *packet, const uint8_t *bytes, uint32_t index)
{
    return q2p__load_u32(bytes + packet->lost_at.at + (size_t)index * 4);
}

static void write_extension(struct q2p__writer *writer, const struct q2p_message *message)
{
    if (!message->extended)
        return;
    q2p__write_bytes(writer, &message->state, 1);
    q2p__write_u16(writer, message->token);
    if (message->event == Q2P_EV_OPTIONSFEEDBACK)
        q2p__write_u32(writer, message->received);
}

int q2p_wire_write(uint8_t *out, size_t room, enum q2p_dialect dialect,
                   const struct q2p_message *message)
{
    int number = q2p_event_number(dialect, message->event);
    struct q2p__writer writer;
    char text[Q2P_ADDR_TEXT_MAX];

    if (number < 0 || dialect == Q2P_DIALECT_EARLY)
        return Q2P_ERR_UNKNOWN;
    q2p__writer_init(&writer, out, room);
    q2p__write_u16(&writer, message->network_id);
    q2p__write_u16(&writer, (uint16_t)number);
    switch (q2p_event_shape(message->event)) {
    case Q2P_SHAPE_BARE:
        break;
    case Q2P_SHAPE_ADDRESS:
        q2p__write_bytes(&writer, text,
                         (size_t)q2p_addr_print(&message->address, text, sizeof text));
        break;
    case Q2P_SHAPE_TEXT:
        q2p__write_bytes(&writer, message->body, message->body_len);
        break;
    case Q2P_SHAPE_START:
        q2p__write_bytes(&writer, message->hash.bytes, Q2P_HASH_LEN);
        q2p__write_u32(&writer, message->length);
        write_extension(&writer, message);
        break;
    case Q2P_SHAPE_HASH:
        q2p__write_bytes(&writer, message->hash.bytes, Q2P_HASH_LEN);
        write_extension(&writer, message);
        break;
    case Q2P_SHAPE_FRAGMENT:
        q2p__write_bytes(&writer, message->hash.bytes, Q2P_HASH_LEN);
        if (dialect != Q2P_DIALECT_OPTIONS)
            q2p__write_u32(&writer, message->length);
        q2p__write_u32(&writer, message->syn);
        q2p__write_bytes(&writer, message->body, message->body_len);
        break;
    case Q2P_SHAPE_LIST:
        q2p__write_bytes(&writer, message->hash.bytes, Q2P_HASH_LEN);
        for (size_t i = 0; i < message->lost_count; i++)
            q2p__write_u32(&writer, message->lost[i]);
        break;
    }
    return (int)writer.at;
}
