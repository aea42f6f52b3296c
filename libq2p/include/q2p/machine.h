/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine.h - the border: what drivers and the simulator know of whatever they host. A machine of
 * any protocol family fills this table; who moves its datagrams needs nothing else.
 */
#ifndef Q2P_MACHINE_H
#define Q2P_MACHINE_H

#include <q2p/node.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The calls promise what q2p_node_input, _output, _output_to, _deadline and _tick do (node.h). */
struct q2p_machine {
    const char *family; /* a word for logs; static */
    int (*input)(void *self, q2p_time now, const struct q2p_datagram *in);
    int (*output)(void *self, q2p_time now, struct q2p_datagram *out);
    q2p_time (*deadline)(const void *self);
    void (*tick)(void *self, q2p_time now);
    /* may be NULL, and may leave `room` alone */
    int (*output_to)(void *self, q2p_time now, struct q2p_datagram *out, uint8_t *room);
};

/* The table of a q2p_node; self is the q2p_node. Static. */
extern const struct q2p_machine q2p_node_machine;

#ifdef __cplusplus
}
#endif
#endif
