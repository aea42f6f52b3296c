/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-tap.h - what the statistics get of each datagram: tap "q2p", one struct q2p_tap per Q2P
 * datagram. Nothing in it is a string; those are made on demand by the functions below. Quoted
 * datagrams (in ICMP errors) are not tapped.
 */
#ifndef Q2P_TAP_H
#define Q2P_TAP_H

#include "q2p-compat.h"

#include <q2p/wire.h>

#include "q2p-punch.h"
#include "q2p-state.h"

#define Q2P_TAP_NAME "q2p"

struct q2p_tap {
    const struct q2p_packet *packet; /* event, dialect, network id, SYN, address, spans, ... */
    int status;                      /* of q2p_wire_read */
    tvbuff_t *tvb;                   /* the datagram; spans of `packet` point into it */
    const struct q2p_transmission *transmission; /* the one to show, or NULL */
    enum q2p_role role;                          /* what the datagram is to it */
    bool to_receiver; /* goes the way of the transmission's data, not the way of its answers */
    bool after_complete;
    struct q2p_punch_role punch; /* .punch NULL = none */
    const struct q2p_visit *visit;
};

/* "10.77.0.1:10000", "[::1]:10000" */
char *q2p_tap_endpoint(wmem_allocator_t *pool, const address *addr, uint32_t port);

/* The sentence of the Info column. */
const char *q2p_tap_text(packet_info *pinfo, const struct q2p_tap *tap);

#endif
