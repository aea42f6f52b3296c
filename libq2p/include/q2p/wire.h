/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.h - what a Q2P datagram looks like, in all three dialects, and nothing else. Whoever needs
 * an offset, a size or an event number takes it from here: node, dissector, simulator, tests.
 * No state, no allocation. PROTOCOL.md 2 to 4 is the standard this file follows.
 */
#ifndef Q2P_WIRE_H
#define Q2P_WIRE_H

#include <q2p/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* name, number, filter word, sentence */
#define Q2P_DIALECT_MAP(XX)                                                                        \
    XX(UNKNOWN, 0, "unknown", "not known yet")                                                     \
    XX(EARLY, 1, "early", "classic before CONNECT_FAILED existed (read only)")                     \
    XX(CLASSIC, 2, "classic", "24-byte transmission header with length")                           \
    XX(OPTIONS, 3, "options", "OPTIONS handshake, 20-byte transmission header")

enum q2p_dialect {
#define XX(name, number, word, sentence) Q2P_DIALECT_##name = (number),
    Q2P_DIALECT_MAP(XX)
#undef XX
};

/* What follows the 4-byte header. */
enum q2p_shape {
    Q2P_SHAPE_BARE,     /* nothing */
    Q2P_SHAPE_ADDRESS,  /* address, as text, to the end */
    Q2P_SHAPE_TEXT,     /* reason, as text, to the end */
    Q2P_SHAPE_START,    /* hash, length */
    Q2P_SHAPE_HASH,     /* hash */
    Q2P_SHAPE_FRAGMENT, /* hash, length (not in options), syn, body to the end */
    Q2P_SHAPE_LIST      /* hash, lost SYNs to the end */
};

/* Event, its number in the early, classic and options dialect (-1 = not there), shape, title,
 * section of PROTOCOL.md. */
#define Q2P_EVENT_MAP(XX)                                                                          \
    XX(JOIN, 0, 0, 0, BARE, "Join", "3.1")                                                         \
    XX(TOUCHREQUEST, 1, 1, 1, ADDRESS, "Touch Request", "3.2")                                     \
    XX(TOUCH, 2, 2, 2, BARE, "Touch", "3.1")                                                       \
    XX(TOUCHED, 3, 3, 3, ADDRESS, "Touched", "3.2")                                                \
    XX(CONNECTREQUEST, 4, 4, 4, ADDRESS, "Connect Request", "3.2")                                 \
    XX(CONNECT, 5, 5, 5, BARE, "Connect", "3.1")                                                   \
    XX(CONNECTED, 6, 6, 6, BARE, "Connected", "3.1")                                               \
    XX(CONNECT_FAILED, -1, 7, 7, TEXT, "Connect Failed", "3.3")                                    \
    XX(OPTIONS, -1, -1, 8, START, "Options", "3.4")                                                \
    XX(OPTIONSFEEDBACK, -1, -1, 9, HASH, "Options Feedback", "3.5")                                \
    XX(TRANSPORT, 7, 8, 10, FRAGMENT, "Transport", "3.6")                                          \
    XX(TRANSPORT_FAILED, 8, 9, 11, LIST, "Transport Failed", "3.7")                                \
    XX(TEST, 9, 10, 12, BARE, "Test", "3.1")

enum q2p_event {
#define XX(name, early, classic, options, shape, title, section) Q2P_EV_##name,
    Q2P_EVENT_MAP(XX)
#undef XX
        Q2P_EV_UNKNOWN /* a number without meaning; also how many there are */
};

/* Sizes in bytes; PROTOCOL.md 2 and 8. */
#define Q2P_HEADER_LEN 4
#define Q2P_DATAGRAM_MAX 512 /* what a peer reads; nothing longer is ever written */
#define Q2P_FRAGMENT_LEN 484 /* share of all fragments but the last; the original's PACKET_LEN */
#define Q2P_SYNS_MAX 123     /* lost SYNs in one datagram: (512 - 4 - 16) / 4 */
#define Q2P_PORT_DEFAULT 10000
#define Q2P_EXTENDED_LEN 27 /* OPTIONS and OPTIONSFEEDBACK with the extension (PROTOCOL.md 6.8) */
#define Q2P_REASON_MISMATCH "Dismatch networking version" /* the original's only text */

/* What an extended OPTIONS or OPTIONSFEEDBACK says of the transmission, at the end that it comes
 * from; PROTOCOL.md 6.8. */
#define Q2P_STATE_MAP(XX)                                                                          \
    XX(OPEN, 0, "open", "fragments are still to leave, or missing")                                \
    XX(COMPLETE, 1, "complete", "all fragments have left, or were delivered")                      \
    XX(ABSENT, 2, "absent", "there is none such")

enum q2p_state {
#define XX(name, number, word, sentence) Q2P_STATE_##name = (number),
    Q2P_STATE_MAP(XX)
#undef XX
};

/*
 * One message, as read. Spans say where each field sits (len 0: absent or cut off); the values
 * beside them are valid where the span is there. Bytes are never copied: look at them through
 * the spans.
 */
struct q2p_packet {
    enum q2p_dialect dialect; /* the one it was read in */
    enum q2p_event event;
    uint16_t network_id;
    uint16_t number;         /* of the event, as on the wire */
    uint32_t length;         /* of the whole transmission; 0 in a resend of the original */
    uint32_t syn;            /* fragment number, from 0 */
    uint8_t state;           /* of the extension: enum q2p_state */
    uint16_t token;          /* ... chosen by the one who asks, repeated in the answer */
    uint32_t received;       /* extended OPTIONSFEEDBACK: fragments its sender has taken in */
    uint32_t lost_count;     /* whole SYNs in `lost`; read them with q2p_wire_lost */
    struct q2p_addr address; /* ip_len 0 if the text does not parse */
    struct q2p_span network_id_at, event_at, address_at, reason_at, hash_at, length_at, syn_at,
        body_at, lost_at;
    struct q2p_span state_at, token_at, received_at; /* PROTOCOL.md 6.8 */
    struct q2p_span trailing_at; /* bytes behind the end of the message, which peers ignore */
};

/*
 * Reads one UDP payload in one dialect. have = bytes at hand, total = bytes that were on the wire,
 * below 4 GiB (have < total: a capture that was cut, not a bad message). *out is always filled as
 * far as the bytes go, whatever is returned:
 *   Q2P_OK            well-formed
 *   Q2P_ERR_SHORT     ends inside the header or a field
 *   Q2P_ERR_CUT       the capture ends first; nothing wrong as far as one can see
 *   Q2P_ERR_UNKNOWN   no such event in this dialect; in Q2P_DIALECT_UNKNOWN only the events that
 *                     all dialects share are known
 *   Q2P_ERR_LENGTH    OPTIONS longer than 24 bytes, OPTIONSFEEDBACK longer than 20, and neither 27
 *   Q2P_ERR_ADDRESS   address text that q2p_addr_parse refuses
 *   Q2P_ERR_EMPTY     fragment without body
 *   Q2P_ERR_SYN       fragment number beyond its own length field (classic, early)
 *   Q2P_ERR_SHARE     body over 484 bytes, or not what its own length field says
 *   Q2P_ERR_LIST      TRANSPORT_FAILED with 1 to 3 bytes behind the last SYN
 *   Q2P_ERR_OVERSIZE  over 512 bytes, but well-formed otherwise; for TRANSPORT_FAILED this is
 *                     what the original sends, and its readers cut it (PROTOCOL.md 3.7)
 */
int q2p_wire_read(struct q2p_packet *out, enum q2p_dialect dialect, const uint8_t *bytes,
                  size_t have, size_t total);

/* SYN number `index` (below packet->lost_count) of the list in `bytes`. */
uint32_t q2p_wire_lost(const struct q2p_packet *packet, const uint8_t *bytes, uint32_t index);

/*
 * What one datagram proves about who sent it. Q2P_DIALECT_UNKNOWN: it is the same in several
 * dialects, or is not Q2P at all. The one message that only its context tells apart - event 9 of
 * 20 bytes: OPTIONSFEEDBACK, or an empty classic TRANSPORT_FAILED - is UNKNOWN here; it belongs
 * to the dialect in which the receiver started the transmission with that key. Where nothing is
 * proven, go by what the sender proved before, else by what the other side proved, else classic;
 * and a sender once proven early stays early, as its lists look like OPTIONS (PROTOCOL.md 4).
 */
enum q2p_dialect q2p_wire_dialect(const uint8_t *bytes, size_t have, size_t total);

/* How sure can one be that these bytes are Q2P at all? For heuristics; PROTOCOL.md 4. */
enum q2p_likeness {
    Q2P_LIKENESS_NONE,   /* no Q2P node sends this */
    Q2P_LIKENESS_WEAK,   /* possible, but so is much else */
    Q2P_LIKENESS_STRONG, /* the fields confirm each other */
};
enum q2p_likeness q2p_wire_likeness(const uint8_t *bytes, size_t have, size_t total);

/*
 * One message to write. Only the fields that the shape of `event` has are looked at; text and
 * body are borrowed for the call.
 */
struct q2p_message {
    enum q2p_event event;
    uint16_t network_id;
    uint32_t length;
    uint32_t syn;
    struct q2p_addr address;
    struct q2p_hash hash;
    bool extended; /* OPTIONS, OPTIONSFEEDBACK: with the extension; then these: */
    uint8_t state;
    uint16_t token;
    uint32_t received;
    const void *body; /* fragment bytes, or the reason's text */
    size_t body_len;
    const uint32_t *lost;
    size_t lost_count;
};

/*
 * Writes a message in the classic or options dialect. Returns its size in bytes; if that is more
 * than room, the size is still returned and nothing beyond room is written. Returns
 * Q2P_ERR_UNKNOWN if the dialect has no such event or cannot be written.
 */
int q2p_wire_write(uint8_t *out, size_t room, enum q2p_dialect dialect,
                   const struct q2p_message *message);

/*
 * How many datagrams are these, recorded as one? More than 1 only of fragments that the recording
 * machine's kernel has not cut yet, or joined already (UDP_SEGMENT, UDP_GRO): behind a whole
 * fragment comes another one of the same network, event and key.
 */
size_t q2p_wire_joined(const uint8_t *bytes, size_t have, size_t total);

/* Fragments of a transmission of `length` bytes, and the body bytes of one of them (0 if there
 * is no such fragment). PROTOCOL.md 6.2. */
uint32_t q2p_wire_fragments(uint32_t length);
uint32_t q2p_wire_share(uint32_t length, uint32_t syn);

/* Tables for whoever prints: names as in the maps above. Static; never NULL. */
const char *q2p_event_name(enum q2p_event event);    /* "TOUCHREQUEST" */
const char *q2p_event_title(enum q2p_event event);   /* "Touch Request" */
const char *q2p_event_section(enum q2p_event event); /* "3.2", of PROTOCOL.md */
enum q2p_shape q2p_event_shape(enum q2p_event event);
const char *q2p_dialect_name(enum q2p_dialect dialect); /* "classic" */

/* The event behind a number; Q2P_EV_UNKNOWN if there is none in that dialect. */
enum q2p_event q2p_event_of(enum q2p_dialect dialect, uint16_t number);

/* The number of an event, or -1 if the dialect has none. */
int q2p_event_number(enum q2p_dialect dialect, enum q2p_event event);

#ifdef __cplusplus
}
#endif
#endif
