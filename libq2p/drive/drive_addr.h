/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drive_addr.h - addresses as sockets have them, and as the rest of the library does. */
#ifndef DRIVE_ADDR_H
#define DRIVE_ADDR_H

#include <sys/socket.h>

#include <q2p/types.h>

/* Returns Q2P_OK, or Q2P_ERR_ADDRESS if it is neither IPv4 nor IPv6. */
int q2p__sockaddr_read(struct q2p_addr *out, const struct sockaddr *from);

/* For a socket of IPv6 (v6) or IPv4. Returns the size, or 0 if it cannot reach such an address. */
socklen_t q2p__sockaddr_write(struct sockaddr_storage *out, const struct q2p_addr *addr, bool v6);

#endif
