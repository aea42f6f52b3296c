/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-payload.h - the data of complete transmissions, given to the dissector of what they are.
 */
#ifndef Q2P_PAYLOAD_H
#define Q2P_PAYLOAD_H

#include "q2p-tree.h"

/* The dissector table "q2p.network" (by network ID), for Decode As and other plugins. */
void q2p_payload_register(int proto);

/* Offers common formats to Decode As, once their dissectors are there. */
void q2p_payload_handoff(void);

/* The data put together, if this frame completes them and somebody is going to read them. */
tvbuff_t *q2p_payload_whole(const struct q2p_view *view);

/* Lets the payload's dissector have them, beside our tree. */
void q2p_payload_dissect(const struct q2p_view *view, proto_tree *tree);

#endif
