/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q2p-tree.h - one datagram as a tree, and as a sentence. */
#ifndef Q2P_TREE_H
#define Q2P_TREE_H

#include "q2p-compat.h"

#include "q2p-punch.h"
#include "q2p-state.h"

/* All there is to say about one datagram; borrowed while it is shown. */
struct q2p_view {
    packet_info *pinfo;
    tvbuff_t *tvb;
    const struct q2p_packet *packet;
    int status;                    /* of q2p_wire_read */
    bool wanted;                   /* somebody looks at the fields, not only at expert items */
    const struct q2p_visit *visit; /* never NULL; all zero for what is shown without a state */
    const struct q2p_transmission *transmission; /* to show, or NULL */
    struct q2p_punch_role punch;                 /* to show; .punch NULL = none */
    tvbuff_t *whole; /* its data, where this frame completes them and they are wanted; else NULL */
};

/* Adds the fields below `tree`. */
void q2p_tree_show(const struct q2p_view *view, proto_tree *tree);

/* The sentence for the Info column; it lives as long as the packet is looked at. */
const char *q2p_text_of(const struct q2p_view *view);

#endif
