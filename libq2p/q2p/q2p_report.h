/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_report.h - telling a sender, and in the end the application, what is missing of an incoming
 * transmission (PROTOCOL.md 6.5).
 */
#ifndef Q2P_REPORT_H
#define Q2P_REPORT_H

#include "q2p_recv.h"

/* Bytes of a TRANSPORT_FAILED. */
#define Q2P__LIST_LEN(count) ((size_t)Q2P_HEADER_LEN + Q2P_HASH_LEN + 4 * (size_t)(count))

/* It is open: sets the timer to the first round of lists. */
void q2p__report_open(q2p_node *node, q2p_time now, struct q2p__incoming *incoming);

/* This fragment of it came, but is not counted as progress yet. */
void q2p__report_progress(q2p_node *node, q2p_time now, struct q2p__incoming *incoming,
                          uint32_t syn);

/* Its sender shows for the first time that it knows the extension; perhaps since we did. */
void q2p__report_shown(q2p_node *node, q2p_time now, struct q2p__incoming *incoming);

/* Its sender says that all of it has left: what is not here now is late or lost. */
void q2p__report_all_left(q2p_node *node, q2p_time now, struct q2p__incoming *incoming);

/* Tells that it is given up, with the first of what is missing. */
void q2p__report_expired(q2p_node *node, const struct q2p__incoming *incoming);

/* The timer of an incoming transmission. */
void q2p__report_tick(q2p_node *node, q2p_time now, struct q2p__incoming *incoming);

/* The next TRANSPORT_FAILED: 1, or 0 if there is none. */
int q2p__report_output(q2p_node *node, const struct q2p__sheet *sheet);

#endif
