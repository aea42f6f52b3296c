/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spans.h - from a q2p_span of the shared codec to an item in Wireshark's tree. All positions in
 * this folder come through here, so none is ever typed.
 */
#ifndef Q2P_SPANS_H
#define Q2P_SPANS_H

#include "q2p-compat.h"

#include <q2p/types.h>

/* Adds the field that sits there; nothing and NULL if it does not sit anywhere. */
static inline proto_item *q2p_add_span(proto_tree *tree, int hf, tvbuff_t *tvb,
                                       struct q2p_span span, unsigned encoding)
{
    if (span.len == 0)
        return NULL;
    return proto_tree_add_item(tree, hf, tvb, (int)span.at, (int)span.len, encoding);
}

/* The text that sits there, made safe to print; it lives as long as the packet is looked at. */
static inline const char *q2p_span_text(packet_info *pinfo, tvbuff_t *tvb, struct q2p_span span)
{
    if (span.len == 0)
        return "";
    return tvb_format_text(pinfo->pool, tvb, (int)span.at, (int)span.len);
}

#endif
