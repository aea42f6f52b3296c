/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_classic.h - hole punching as textbooks have it (RFC 5128 3.3): a server tells two peers each
 * other's address as it sees them, both send again and again, both answer whoever they hear. No
 * Q2P: a second protocol family behind machine.h, to compare with.
 */
#ifndef LAB_CLASSIC_H
#define LAB_CLASSIC_H

#include <q2p/machine.h>

#define LAB_CLASSIC_OUT 8 /* datagrams waiting to be sent */

struct lab_classic {
    bool server;
    struct q2p_addr known[2]; /* server: its peers; peer: its server, the other one */
    unsigned known_count;
    bool connected; /* an answer came: the way is open in both directions */
    unsigned sent;  /* times */
    q2p_time next_ns;
    struct lab_classic_out {
        struct q2p_addr to;
        uint8_t bytes[1 + sizeof(struct q2p_addr)];
        size_t len;
    } out[LAB_CLASSIC_OUT];
    unsigned out_first, out_count;
};

extern const struct q2p_machine lab_classic_machine;

/* A server, or (with its address) a peer that starts now. */
void lab_classic_init(struct lab_classic *self, const struct q2p_addr *server, q2p_time now);

#endif
