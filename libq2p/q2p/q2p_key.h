/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_key.h - the key of a transmission (PROTOCOL.md 6.1): made from data, and data checked by it.
 */
#ifndef Q2P_KEY_H
#define Q2P_KEY_H

#include "q2p_node.h"

/* The hash of `out`, whose peer is where the content goes to; made up where nothing is verified. */
void q2p__key_make(q2p_node *node, q2p_time now, struct q2p__key *out,
                   const struct q2p_content *content, enum q2p_dialect dialect);

/* Is this the key of these data, sent to us? */
enum q2p_check q2p__key_check(const q2p_node *node, const struct q2p_hash *hash, const void *data,
                              size_t len, enum q2p_dialect dialect);

#endif
