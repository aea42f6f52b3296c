/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_punch.h - opening the way between two nodes that a seed has told of each other
 * (PROTOCOL.md 5.2). A punch is pending until CONNECT or CONNECTED comes from its address, or
 * from another port of the same host: a NAT may have chosen that.
 */
#ifndef Q2P_PUNCH_H
#define Q2P_PUNCH_H

#include "q2p_contact.h"

enum q2p__punch_kind {
    Q2P__PUNCH_HEARD,    /* it sent TOUCH before any seed spoke of it: kept in mind, not answered */
    Q2P__PUNCH_TOUCHING, /* TOUCHREQUEST came: TOUCH to it and TOUCHED to the seed, till CONNECT */
    Q2P__PUNCH_CONNECTING, /* CONNECTREQUEST came: CONNECT to it, till CONNECTED */
    Q2P__PUNCH_INSIDE,     /* named by nobody, perhaps a hairpin: CONNECT for each word of it */
    Q2P__PUNCH_GIVEN_UP    /* unreached; but if it has heard us, its keep-alive may still come */
};

struct q2p__punch {
    struct q2p__timer timer;
    struct q2p__link link;
    struct q2p_addr addr;  /* where we send */
    struct q2p_addr asked; /* what the seed said; differs if another port or an inside answers */
    struct q2p_addr via;   /* the seed */
    enum q2p__punch_kind kind;
    unsigned sent; /* so many times */
    bool doubtful; /* another port of this host has connected: perhaps it was the same peer */
};

int q2p__punch_touchrequest(q2p_node *node, q2p_time now, const struct q2p_addr *from,
                            const struct q2p_addr *joiner);
int q2p__punch_touch(q2p_node *node, q2p_time now, const struct q2p_addr *from);
int q2p__punch_connectrequest(q2p_node *node, q2p_time now, const struct q2p_addr *from,
                              const struct q2p_addr *peer);
int q2p__punch_connect(q2p_node *node, q2p_time now, const struct q2p_addr *from);
int q2p__punch_connected(q2p_node *node, q2p_time now, const struct q2p_addr *from);

/* A peer fell silent and was given up. What we sent may still have reached it: then its CONNECT is
 * expected. */
void q2p__punch_miss(q2p_node *node, q2p_time now, const struct q2p_addr *peer);

/* The timer of a punch. */
void q2p__punch_tick(q2p_node *node, q2p_time now, struct q2p__punch *punch);

void q2p__punch_free_all(q2p_node *node);

#endif
