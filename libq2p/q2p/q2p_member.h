/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_member.h - joining, seen from both ends: sending JOIN to seeds and keeping the way to
 * members open; answering a JOIN by bringing the joiner and the members together.
 */
#ifndef Q2P_MEMBER_H
#define Q2P_MEMBER_H

#include "q2p_contact.h"

/* JOIN and TOUCHED, which make this node a seed; PROTOCOL.md 5.1. */
int q2p__member_join(q2p_node *node, q2p_time now, const struct q2p_addr *from);
int q2p__member_touched(q2p_node *node, q2p_time now, const struct q2p_addr *from,
                        const struct q2p_addr *joiner);

/* CONNECTED came of it: was that the answer to whether it is there? Then its JOIN counts now. */
bool q2p__member_is_there(q2p_node *node, q2p_time now, struct q2p__contact *joiner);

/* A datagram of another network; PROTOCOL.md 5.4. */
int q2p__member_foreign(q2p_node *node, q2p_time now, const struct q2p_datagram *in,
                        uint16_t network_id);

/* CONNECT_FAILED. */
int q2p__member_refused(q2p_node *node, q2p_time now, const struct q2p_addr *from,
                        const uint8_t *reason, size_t len);

/* A CONNECT or CONNECTED made it a peer. */
int q2p__member_connect(q2p_node *node, q2p_time now, const struct q2p_addr *from, enum q2p_on on,
                        bool vouched);

/* The timer of a contact. */
void q2p__member_tick(q2p_node *node, q2p_time now, struct q2p__contact *contact);

#endif
