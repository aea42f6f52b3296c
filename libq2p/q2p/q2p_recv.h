/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_recv.h - incoming transmissions (PROTOCOL.md 6.4, 6.5): which are open, what they may cost,
 * asking for what is missing, and remembering which are done.
 */
#ifndef Q2P_RECV_H
#define Q2P_RECV_H

#include <q2p/wire.h>

#include "q2p_contact.h"
#include "q2p_pile.h"

#define Q2P__MARKS 8

/* Then it showed that what was not here below `end` had been overtaken. */
struct q2p__mark {
    q2p_time at;
    uint32_t end;
};

struct q2p__incoming {
    struct q2p__timer timer;
    struct q2p__link link;   /* in the node's receiving, or announced before the first fragment */
    struct q2p__link beside; /* in its contact's incoming */
    struct q2p__link report; /* in the node's reporting, while lists are to be sent */
    struct q2p__key key;
    struct q2p__pile pile;
    struct q2p__contact *contact; /* whom it is charged to */
    q2p_time started_at, progress_at;
    q2p_time answered_at; /* the last OPTIONS before the first fragment */
    q2p_time shown_at;    /* that we know the extension, where the round trip is not sure */
    q2p_time ranked_at;   /* progress, when it was put last in the list */
    uint64_t heard, said; /* bytes from and to the sender about it */
    uint64_t round_left;  /* bytes that this round of lists may still take */
    uint32_t length;
    uint32_t cursor;     /* where the next list starts */
    uint32_t list_end;   /* ... and where the lists of this round end */
    uint8_t lists_left;  /* datagrams of this round */
    uint32_t seen_end;   /* early: behind the highest that came */
    uint32_t jump_end;   /* ... holes below this were seen */
    uint32_t asked_end;  /* ... have been listed at least once */
    uint32_t reask_end;  /* ... were when reask_at was set */
    uint32_t watched;    /* listed at watched_at; when it comes, that was a round trip */
    q2p_time watched_at; /* Q2P__LONG_AGO: none is watched */
    q2p_time round_at, early_at, reask_at; /* what the timer waits for */
    q2p_time listed_at;                    /* the last round of lists */
    struct q2p__mark marks[Q2P__MARKS];    /* of jump_end, the oldest first */
    q2p_time lates_ns[2]; /* the most a fragment came late since lates_at, and as long before it */
    q2p_time lates_at;
    q2p_time rtt_ns;
    uint8_t marks_count;
    uint8_t quiet_rounds; /* lists since the last progress, for want of any */
    bool closing;         /* given up: after the lists, the empty one, then it is forgotten */
    enum q2p_dialect dialect;
};

struct q2p__finished {
    struct q2p__link link; /* in the node's remembered */
    struct q2p__key key;
    q2p_time until;
    enum q2p_dialect dialect;
};

/* OPTIONS and TRANSPORT. */
int q2p__recv_options(q2p_node *node, q2p_time now, const struct q2p__key *key, uint32_t length);
int q2p__recv_asked(q2p_node *node, q2p_time now, const struct q2p__key *key,
                    const struct q2p_packet *packet);
int q2p__recv_fragment(q2p_node *node, q2p_time now, const struct q2p__key *key,
                       const struct q2p_packet *packet, const uint8_t *bytes);

/* What a happening says of every incoming transmission. */
struct q2p_happening q2p__recv_about(const struct q2p__incoming *incoming, enum q2p_on on);

void q2p__recv_forget(q2p_node *node, struct q2p__incoming *incoming);
void q2p__recv_free_all(q2p_node *node);

#endif
