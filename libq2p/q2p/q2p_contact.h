/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_contact.h - whom the node knows anything of: members (what the API calls peers), and a
 * bounded number of strangers that sent or got something lately. One record per address has the
 * dialect heard from it, its share of every limit, and what was done about its JOIN.
 */
#ifndef Q2P_CONTACT_H
#define Q2P_CONTACT_H

#include "q2p_node.h"

struct q2p__path;

#define Q2P__OPENED 8

/* Whose address is not proven gets at most so many bytes for each byte that came from there. */
#define Q2P__PAID 3

struct q2p__contact {
    struct q2p__timer timer; /* of members: JOIN or CONNECT again */
    struct q2p__timer holds; /* in the node's holders: minus memory */
    struct q2p__link link;   /* in members or strangers */
    struct q2p_addr addr;
    q2p_time heard_at;
    q2p_time ranked_at;  /* of strangers: when it was put last in the list */
    q2p_time answers_at; /* budget of control messages it may cause */
    q2p_time refusal_at; /* budget of CONNECT_FAILED and of happenings about other networks */
    q2p_time called_at;  /* we last joined through it or sent it a transmission */
    q2p_time join_at;    /* its last JOIN, and the time between its last two */
    q2p_time join_gap_ns;
    uint64_t asked[2];         /* members that got a TOUCHREQUEST about it, by slot */
    uint64_t touched[2];       /* ... and answered TOUCHED, or the other way round */
    uint64_t owed[2];          /* ... once: CONNECTREQUEST may have to be repeated about these */
    struct q2p__path *path;    /* while something goes to it */
    struct q2p__link incoming; /* what comes from it, the longest without progress first */
    q2p_time rtt_ns;           /* what an answer took when something did, at most; or 0 */
    uint32_t fragments;        /* that came from it, copies too */
    uint16_t probes_lost, probes_heard;
    uint16_t lacked;                 /* of 1000 fragments, by its giving up */
    uint8_t fell_short;              /* for so many transmissions we remember that it gave one up */
    uint8_t opened_next;             /* index of the oldest of: */
    uint32_t opened_ms[Q2P__OPENED]; /* when transmissions in classic began, and 1; or 0 */
    bool extends;    /* it has shown that it knows the extension of PROTOCOL.md 6.8 */
    bool proven;     /* ... and has repeated what we made up, so it is where it says */
    bool met;        /* it has answered what we asked it, so it is where it says */
    uint8_t asks;    /* CONNECTs that asked it whether it is there, since its JOIN */
    uint8_t again;   /* rounds to come in which members are asked once more about it */
    bool spreading;  /* as a joiner: not all members know of it yet */
    size_t memory;   /* bytes held for what it sends */
    uint16_t open;   /* incoming transmissions from it */
    uint16_t tries;  /* repetitions of JOIN to it */
    uint8_t slot;    /* of members: 0..127 */
    uint8_t dialect; /* enum q2p_dialect that it proved last */
    bool persists;   /* it repeats its JOIN */
    bool member;
    bool seed;          /* we joined through it */
    bool connected;     /* CONNECT or CONNECTED was exchanged */
    bool vouched;       /* ... after a seed had told each of the other */
    uint8_t unanswered; /* TOUCHREQUESTs to it since it was heard */
    uint8_t repeats;    /* TOUCHED about it, beyond the first of each member, since its JOIN */
};

/* NULL if nothing is known. */
struct q2p__contact *q2p__contact_find(const q2p_node *node, const struct q2p_addr *addr);

/* Finds or makes. Q2P_OK or Q2P_ERR_MEMORY; never full, as the longest unheard stranger goes. */
int q2p__contact_make(q2p_node *node, struct q2p__contact **out, const struct q2p_addr *addr);

/* Something well-formed came from it. */
void q2p__contact_heard(q2p_node *node, struct q2p__contact *contact, q2p_time now,
                        enum q2p_dialect proven);

/* May it cause one more control message? */
bool q2p__contact_may(const q2p_node *node, struct q2p__contact *contact, q2p_time now);

/* Would there be room for one more member? Members that fell silent make room for one that is
 * being connected; only those that never connected make room for one that just joined. */
bool q2p__contact_room(q2p_node *node, q2p_time now, bool connecting);

/* Makes it a member. Q2P_OK (also if it is one), Q2P_ERR_FULL or Q2P_ERR_MEMORY. */
int q2p__contact_enroll(q2p_node *node, struct q2p__contact *contact, q2p_time now,
                        bool connecting);

/* Has this peer been silent for so long, though asked, that it is given up? PROTOCOL.md 5.5 */
bool q2p__contact_is_gone(const q2p_node *node, const struct q2p__contact *peer, q2p_time now);

/* Makes a member a stranger. */
void q2p__contact_dismiss(q2p_node *node, struct q2p__contact *member);

/* The dialect to speak to an address: what it proved, else the configured one. */
enum q2p_dialect q2p__contact_dialect(const q2p_node *node, const struct q2p_addr *addr);

void q2p__contact_free_all(q2p_node *node);

#endif
