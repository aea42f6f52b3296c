/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-state.h - what one knows of a capture beyond the packet at hand: who speaks which dialect,
 * which transmissions there are and what became of their fragments.
 *
 * All of it is learned the first time Wireshark looks at a packet, in the order of the capture,
 * and only then; what was decided about a packet stays with it as its q2p_visit, so that the same
 * packet reads the same ever after. What can grow later hangs on the transmission it points to.
 *
 * Two nodes are known by address, port and the interface they were captured at: a file with
 * several vantage points tells the story of each of them separately.
 */
#ifndef Q2P_STATE_H
#define Q2P_STATE_H

#include "q2p-compat.h"

#include <epan/address.h>

#include <q2p/wire.h>

#include "q2p-pieces.h"

/* One end of a talk. */
struct q2p_endpoint {
    address addr;
    uint32_t port;
    uint32_t interface_id;
    uint16_t network_id; /* its own; what it sends carries it */
    bool network_id_known;
    uint32_t first_frame, last_frame; /* that it sent, 0 = none */
    bool proven;                      /* took part in something that can only be Q2P */
    enum q2p_dialect dialect;         /* proven last by what it sent, or UNKNOWN */
};

/* For the heuristic: the last short datagrams that may have been Q2P, oldest overwritten first. */
#define Q2P_HINTS_MAX 16
#define Q2P_HINT_LEN_MAX 32
struct q2p_hints {
    uint32_t count; /* ever noted */
    struct {
        q2p_time time;
        uint32_t frame;
        uint8_t len;
        uint8_t bytes[Q2P_HINT_LEN_MAX];
    } notes[Q2P_HINTS_MAX];
};

struct q2p_transmission;

/* What one end of a talk has said to the other. */
struct q2p_side {
    struct q2p_endpoint *from;
    uint32_t frame_in[Q2P_DIALECT_OPTIONS + 1]; /* last proof of that dialect; 0 = none */
    uint32_t refused_frame;          /* first CONNECT_FAILED that this side got; 0 = none */
    uint16_t refuser_id;             /* and the network of the node that sent it */
    struct q2p_join *join;           /* the last one; NULL = none */
    struct q2p_hints *hints;         /* NULL = none */
    struct q2p_transmission *recent; /* that was looked for last, or NULL */
};

/* Two endpoints at one interface. */
struct q2p_talk {
    struct q2p_side sides[2];
    struct q2p_endpoint *ends[2]; /* sorted, as the key in the table of talks */
};

/* Somebody asked for a fragment, and got it, or not. */
struct q2p_ask {
    uint32_t asked_frame;    /* the last one before the answer */
    uint32_t answered_frame; /* 0 = none yet */
    struct q2p_ask *before;  /* for the same fragment; it was answered */
};

/* One sending of one transmission (PROTOCOL.md 6), as far as the capture shows it. */
struct q2p_transmission {
    struct q2p_hash hash;
    struct q2p_talk *talk;
    uint8_t side; /* the sender's */
    enum q2p_dialect dialect;
    uint16_t network_id;
    uint32_t index;   /* in the capture, from 0 */
    uint32_t sending; /* of this key between these two, from 1 */
    uint32_t length, fragments;
    bool length_known; /* not if the capture began too late */
    uint32_t first_frame, last_frame, start_frame, complete_frame, gave_up_frame; /* 0 = none */
    uint32_t ready_frame; /* first OPTIONSFEEDBACK, 0 = none */
    q2p_time first_time, start_time, ready_time, complete_time; /* of those frames */
    struct q2p_pieces pieces;
    wmem_map_t *asks;                 /* SYN -> struct q2p_ask *, the newest; NULL = none */
    uint32_t wanted;                  /* fragments that passed and were asked for after that */
    struct q2p_transmission *earlier; /* sending with this key, or NULL */
    struct q2p_transmission *again;   /* what came after it was closed; see q2p-transmission.c */
};

/* What a datagram meant to its transmission, or to its hole punch; the word is q2p.role. */
#define Q2P_ROLE_MAP(XX)                                                                           \
    XX(NONE, "none")                                                                               \
    XX(JOIN, "join")                      /* JOIN */                                               \
    XX(STEP, "step")                      /* one of the steps of a punch that follow it */         \
    XX(START, "announcement")             /* OPTIONS, the first one */                             \
    XX(RESTART, "repeated announcement")  /* OPTIONS for what is announced already */              \
    XX(QUESTION, "question")              /* OPTIONS with the extension: opens nothing */          \
    XX(READY, "ready")                    /* OPTIONSFEEDBACK */                                    \
    XX(PIECE, "first")                    /* a fragment that was missing */                        \
    XX(RESENT, "retransmission")          /* a fragment that was asked for */                      \
    XX(DUPLICATE, "duplicate")            /* a fragment that was there */                          \
    XX(CONFLICT, "conflicting duplicate") /* a fragment that was there with other bytes */         \
    XX(LATE, "late")                      /* a missing fragment, but the receiver has given up */  \
    XX(STRAY, "unplaced")                 /* of a transmission whose length is not known */        \
    XX(BAD, "out of range")               /* a fragment that no receiver can place */              \
    XX(ASK, "request")                    /* TRANSPORT_FAILED with a list */                       \
    XX(GAVE_UP, "end")                    /* TRANSPORT_FAILED without */                           \
    XX(ORPHAN, "orphan")                  /* an answer for a key that nobody was seen to send */

enum q2p_role {
#define XX(name, word) Q2P_ROLE_##name,
    Q2P_ROLE_MAP(XX)
#undef XX
};

/* What was decided about one frame. */
struct q2p_visit {
    union {
        struct q2p_transmission *transmission; /* NULL = none; see q2p_transmission_shown */
        struct q2p_join *join;                 /* Q2P_ROLE_JOIN */
        struct q2p_punch *punch;               /* Q2P_ROLE_STEP */
    };
    uint32_t earlier_frame; /* of a duplicate: where the fragment was seen first */
    uint8_t layer;          /* of the frame's protocols, for tunnels */
    uint8_t role;           /* enum q2p_role */
    uint8_t dialect : 2;    /* to read it in */
    uint8_t seen : 1;       /* this is filled in */
    uint8_t assumed : 1;    /* nothing proves that dialect */
    uint8_t foreign : 1;    /* the receiver belongs to another network */
    uint8_t length_changed : 1;
    uint8_t after_complete : 1; /* came when the transmission was complete already */
    uint8_t again : 1;          /* a step that was taken before */
    uint8_t asked_seen : 1;     /* a list that asks for fragments which passed here */
};

/* Registers what empties all of this when another capture is opened. */
void q2p_state_register(void);

/* The visit of this frame, filled in (`seen`) or not. NULL if the frame was visited without making
 * one, and for a second Q2P datagram in the same frame. */
struct q2p_visit *q2p_state_visit(const packet_info *pinfo);

/*
 * Reads a datagram on its first visit, learns from it and fills in the visit. `forced` is the
 * dialect to read it in, UNKNOWN = find out. A datagram quoted in an ICMP error teaches nothing.
 * Returns the status of q2p_wire_read.
 */
int q2p_state_learn(struct q2p_visit *visit, const packet_info *pinfo, enum q2p_dialect forced,
                    tvbuff_t *tvb, struct q2p_packet *packet);

/*
 * The heuristic's memory: is this datagram, with what came before it, enough to call it Q2P? If so,
 * what came before is learned from after all.
 */
bool q2p_state_convinces(const packet_info *pinfo, tvbuff_t *tvb);

/* The transmission to show for a visit: what seemed a sending of its own may turn out not to be. */
const struct q2p_transmission *q2p_transmission_shown(const struct q2p_visit *visit);

/* The frame of the CONNECT_FAILED that refused this transmission, or 0. */
uint32_t q2p_transmission_refused(const struct q2p_transmission *transmission);

/* The frame in which the fragment was asked for that this frame brings again; 0 = none. */
uint32_t q2p_transmission_asked(const struct q2p_transmission *transmission, uint32_t syn,
                                uint32_t frame);

/* The frame that brought a fragment after that frame asked for it; 0 = none. */
uint32_t q2p_transmission_answered(const struct q2p_transmission *transmission, uint32_t syn,
                                   uint32_t frame);

/* True if it was sent to a node that does not understand its dialect (PROTOCOL.md 4). */
bool q2p_transmission_unread(const struct q2p_transmission *transmission);

/* What came of it, as far as one knows: the words of `q2p check`. */
const char *q2p_transmission_verdict(const struct q2p_transmission *transmission);

/*
 * Writes the lowest SYNs that did not pass, or that the receiver asked for after they had; `max` of
 * them at the most, and returns how many that were.
 */
uint32_t q2p_transmission_missing(const struct q2p_transmission *transmission, uint32_t *out,
                                  uint32_t max);

/* True if every fragment reached a node that takes it, and that node does not say otherwise. */
bool q2p_transmission_complete(const struct q2p_transmission *transmission);

/* "first", "retransmission", ... */
const char *q2p_role_name(enum q2p_role role);

/* The data of a complete transmission, `length` bytes; NULL if they are not known. Valid as long
 * as the capture is open. */
const uint8_t *q2p_transmission_data(const struct q2p_transmission *transmission);

/* All transmissions that count, in order of index; NULL behind the last one. */
const struct q2p_transmission *q2p_transmission_at(uint32_t index);

#endif
