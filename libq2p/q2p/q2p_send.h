/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_send.h - outgoing transmissions (PROTOCOL.md 6.3, 6.6): from the caller's buffer, which is
 * never copied, fragment by fragment into datagrams, as the budget of the node allows.
 */
#ifndef Q2P_SEND_H
#define Q2P_SEND_H

#include <q2p/wire.h>

#include "q2p_node.h"

enum q2p__outgoing_state {
    Q2P__OUTGOING_ASKING,  /* OPTIONS sent, its feedback not seen */
    Q2P__OUTGOING_SENDING, /* not every fragment has left once */
    Q2P__OUTGOING_KEPT     /* all have; repairs may be asked for */
};

struct q2p__outgoing {
    struct q2p__timer timer;
    struct q2p__link link; /* in the node's sending, if a fragment is to leave */
    struct q2p__key key;
    const uint8_t *data;
    uint32_t length, total; /* bytes, fragments */
    uint32_t next;          /* first fragment that has not left yet */
    enum q2p__outgoing_state state;
    enum q2p_dialect dialect;
    unsigned tries;          /* repetitions of OPTIONS */
    uint64_t *again;         /* bits: fragments to send again; behind it: reported of late */
    uint32_t again_count;    /* bits set in it */
    uint32_t again_cursor;   /* where to look for the next one */
    uint64_t repairs;        /* fragments queued because the peer said so */
    q2p_time reported_since; /* when `reported of late` began */
    bool repairing;          /* RESTORED is due when the last has left */
};

/* Event 9 of 20 bytes is either of these, by the dialect of the transmission; Q2P_ERR_ABSENT if
 * there is none such. */
int q2p__send_answered(q2p_node *node, q2p_time now, const struct q2p__key *key);

/* TRANSPORT_FAILED. */
int q2p__send_list(q2p_node *node, q2p_time now, const struct q2p__key *key,
                   const struct q2p_packet *packet, const uint8_t *bytes);

/* The next fragment that may leave now: 1 and its length in node->bytes, or 0. */
int q2p__send_output(q2p_node *node, q2p_time now, struct q2p_datagram *out);

/* When the next fragment may leave; Q2P_NEVER if there is none. */
q2p_time q2p__send_deadline(const q2p_node *node);

/* The timer of an outgoing transmission. */
void q2p__send_tick(q2p_node *node, q2p_time now, struct q2p__outgoing *outgoing);

void q2p__send_free_all(q2p_node *node);

#endif
