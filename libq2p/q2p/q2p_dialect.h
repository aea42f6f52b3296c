/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q2p_dialect.h - reads a datagram and tells its dialect in one go, for nodes. */
#ifndef Q2P_DIALECT_PRIVATE_H
#define Q2P_DIALECT_PRIVATE_H

#include <q2p/wire.h>

/*
 * As q2p_wire_dialect. *out and *status are what q2p_wire_read makes of it in the options dialect
 * if it proves that, or else in classic: what no dialect is proven by is the same in both, but for
 * messages of which only their context tells whose they are.
 */
enum q2p_dialect q2p__dialect_read(struct q2p_packet *out, int *status, const uint8_t *bytes,
                                   size_t len);

#endif
