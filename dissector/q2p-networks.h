/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-networks.h - what people know of their networks and no datagram says: what a network is
 * called, and which dissector reads what its transmissions carry. They fill in a table of the
 * preferences, q2p.networks.
 */
#ifndef Q2P_NETWORKS_H
#define Q2P_NETWORKS_H

#include "q2p-compat.h"

#include <epan/prefs.h>

void q2p_networks_register(module_t *module);

/* Its name in the table; NULL if it has none. */
const char *q2p_network_name(uint16_t network_id);

/* "7 (testnet)", or "7". */
const char *q2p_network_text(wmem_allocator_t *pool, uint16_t network_id);

/* The dissector that the table has for it, or NULL. */
dissector_handle_t q2p_network_dissector(uint16_t network_id);

#endif
