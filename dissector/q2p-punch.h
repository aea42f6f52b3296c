/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-punch.h - each hole punch of a capture (PROTOCOL.md 5.2): who joined through whom to whom,
 * which of the seven steps were seen in which frame, and why it went no further.
 *
 * A punch is (seed, newcomer, known peer) at one interface. All three go by the addresses that are
 * true at that place: inside a private network that is the inside address of the node in it, and
 * what the messages name for the other one. A node behind a NAT that changes ports is still known
 * by its IP address; the punch then says so (`moved`).
 *
 * A seed that asks who joins whether it is there (PROTOCOL.md 5.1) is told as a punch as well: the
 * seed is the known peer too, and takes step 6, the newcomer step 7.
 */
#ifndef Q2P_PUNCH_H
#define Q2P_PUNCH_H

#include "q2p-state.h"

/* The steps in their order, named as their events, and who takes them. */
#define Q2P_STEP_MAP(XX)                                                                           \
    XX(JOIN, "newcomer")                                                                           \
    XX(TOUCHREQUEST, "seed")                                                                       \
    XX(TOUCH, "known peer")                                                                        \
    XX(TOUCHED, "known peer")                                                                      \
    XX(CONNECTREQUEST, "seed")                                                                     \
    XX(CONNECT, "newcomer")                                                                        \
    XX(CONNECTED, "known peer")

enum q2p_step {
#define XX(name, sender) Q2P_STEP_##name,
    Q2P_STEP_MAP(XX)
#undef XX
        Q2P_STEPS /* how many there are; also "none" */
};

/* A JOIN, and the punches that it began. */
struct q2p_join {
    uint32_t frame;
    q2p_time time;
    const struct q2p_side *side;    /* of the newcomer, in its talk with the seed */
    struct q2p_punch *first, *last; /* through next_of_join */
};

struct q2p_punch {
    uint32_t index;        /* in the capture, from 0 */
    uint32_t interface_id; /* where it was seen */
    struct q2p_addr seed;  /* ip_len 0 = not seen here */
    struct q2p_addr newcomer, known;
    uint32_t frames[Q2P_STEPS]; /* first one of each step, 0 = not seen */
    q2p_time times[Q2P_STEPS];  /* of those frames */
    uint32_t last_frame;        /* of any step, repeated ones too */
    uint32_t unanswered_frame;  /* the last CONNECT, if no CONNECTED followed it; else 0 */
    uint32_t repeats;           /* steps that came again */
    uint16_t moved_from[2]; /* source port of TOUCH, of CONNECT, where it is not the named one */
    struct q2p_endpoint *newcomer_end, *known_end, *seed_end; /* NULL = silent here */
    struct q2p_punch *before;                                 /* same pair through another seed */
    struct q2p_punch *next_of_join;
};

/* Why a punch went no further than it did. */
#define Q2P_VERDICT_MAP(XX)                                                                        \
    XX(DONE, "connected")                                                                          \
    XX(NETWORK_ID, "refused: they belong to different networks")                                   \
    XX(LIMIT, "ignored: its table may be full, or it does not trust the seed")                     \
    XX(FILTERED, "filtered: a NAT lets nothing through for this address")                          \
    XX(LOST, "lost, or not to be seen from here")

enum q2p_verdict {
#define XX(name, sentence) Q2P_VERDICT_##name,
    Q2P_VERDICT_MAP(XX)
#undef XX
};

/* What a frame is to a punch. */
struct q2p_punch_role {
    const struct q2p_punch *punch; /* NULL = none; for JOIN the first one that it began */
    enum q2p_step step;
    bool again; /* the step was seen before: repeated, or a keep-alive */
};

/* The punch behind a visit; `punch` NULL if it has none. */
struct q2p_punch_role q2p_punch_of(const struct q2p_visit *visit, enum q2p_event event);

/* The last of the steps, in their order, that was seen. */
enum q2p_step q2p_punch_reached(const struct q2p_punch *punch);

/* The first step after the one reached; Q2P_STEPS once connected. */
enum q2p_step q2p_punch_wanted(const struct q2p_punch *punch);

/* From the first step that was seen to CONNECTED; 0 if that was not. */
q2p_time q2p_punch_time(const struct q2p_punch *punch);

/* As far as the capture has been read. */
enum q2p_verdict q2p_punch_verdict(const struct q2p_punch *punch);

/* The last CONNECT has no CONNECTED, and nothing says that it did not arrive: the known peer may
 * have stored the newcomer, who has not stored the known peer. */
bool q2p_punch_half_open(const struct q2p_punch *punch);

/* Frame of the CONNECT_FAILED that one of the three got from another of them, or 0. */
uint32_t q2p_punch_refused(const struct q2p_punch *punch);

/* "TOUCHREQUEST", "seed", "connected" */
const char *q2p_step_name(enum q2p_step step);
const char *q2p_step_sender(const struct q2p_punch *punch, enum q2p_step step);
const char *q2p_verdict_text(enum q2p_verdict verdict);

/* "10.77.0.3:10003", "[::1]:10000"; "?" for one that is not known. */
char *q2p_punch_address(wmem_allocator_t *pool, const struct q2p_addr *addr);

/* "NEWCOMER to KNOWN via SEED" */
const char *q2p_punch_id(wmem_allocator_t *pool, const struct q2p_punch *punch);

/* Empties it for the next capture. */
void q2p_punches_begin(void);

#endif
