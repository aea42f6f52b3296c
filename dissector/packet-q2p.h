/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet-q2p.h - the two functions through which Wireshark comes in. */
#ifndef PACKET_Q2P_H
#define PACKET_Q2P_H

void proto_register_q2p(void);
void proto_reg_handoff_q2p(void);

#endif
