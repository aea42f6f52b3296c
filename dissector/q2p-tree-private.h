/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q2p-tree-private.h - between the files that make the tree. */
#ifndef Q2P_TREE_PRIVATE_H
#define Q2P_TREE_PRIVATE_H

#include "q2p-fields.h"
#include "q2p-tree.h"

static inline void q2p__generated(proto_item *item)
{
    proto_item_set_generated(item);
}

static inline void q2p__add_frame(proto_tree *tree, int hf, tvbuff_t *tvb, uint32_t frame)
{
    if (frame != 0)
        q2p__generated(proto_tree_add_uint(tree, hf, tvb, 0, 0, frame));
}

static inline void q2p__complain(const struct q2p_view *view, proto_item *item, bool is_so,
                                 expert_field *ei)
{
    if (is_so)
        expert_add_info(view->pinfo, item, ei);
}

static inline nstime_t q2p__nstime(q2p_time time)
{
    return (nstime_t){.secs = (time_t)(time / Q2P_SECOND), .nsecs = (int)(time % Q2P_SECOND)};
}

void q2p__show_punch(const struct q2p_view *view, proto_tree *tree);
void q2p__show_transmission(const struct q2p_view *view, proto_tree *tree);

#endif
