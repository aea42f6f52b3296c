/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q2p-state-private.h - between q2p-state.c and q2p-transmission.c. */
#ifndef Q2P_STATE_PRIVATE_H
#define Q2P_STATE_PRIVATE_H

#include "q2p-state.h"

/* The bytes of a datagram: those at hand, and how many there were on the wire. */
struct q2p__bytes {
    const uint8_t *at;
    uint32_t have, total;
};

static inline struct q2p__bytes q2p__bytes_of(tvbuff_t *tvb)
{
    uint32_t have = tvb_captured_length(tvb);
    return (struct q2p__bytes){.at =
                                   have > 0 ? tvb_get_ptr(tvb, 0, (int)have) : (const uint8_t *)"",
                               .have = have,
                               .total = tvb_reported_length(tvb)};
}

/* One datagram on its first visit. */
struct q2p__datagram {
    struct q2p_talk *talk;
    uint8_t side; /* the sender's */
    uint32_t frame;
    q2p_time time;
    bool quoted; /* in an ICMP error */
    const struct q2p_packet *packet;
    int status;
    struct q2p__bytes bytes;
};

void q2p__transmissions_begin(void);

/* The newest sending with the key at `hash_at` by that side of the talk, or NULL. */
struct q2p_transmission *q2p__transmission_find(const struct q2p_talk *talk, uint8_t side,
                                                const uint8_t *bytes, struct q2p_span hash_at);

/* The endpoint of that address, or NULL if it was not seen. */
struct q2p_endpoint *q2p__endpoint_find(const struct q2p_addr *addr, uint32_t interface_id);

/* What one says to the other, or NULL if they have not talked. */
const struct q2p_side *q2p__side_between(struct q2p_endpoint *from, struct q2p_endpoint *to);

void q2p__punch_learn(struct q2p_visit *visit, const struct q2p__datagram *datagram);
void q2p__transmission_learn(struct q2p_visit *visit, const struct q2p__datagram *datagram);

#endif
