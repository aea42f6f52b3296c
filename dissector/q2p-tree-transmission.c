/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q2p-tree-transmission.c - the part of the tree that tells of a transmission: what came of it,
 * what this frame is to it, and the data put together. */
#include "q2p-tree-private.h"

#define MISSING_SHOWN_MAX 1000 /* an announced length may leave millions missing */

/* The frame in which this fragment was seen before, 0 if it was not. */
static uint32_t earlier_frame(const struct q2p_view *view)
{
    const struct q2p_piece *piece;

    if (view->visit->transmission == view->transmission)
        return view->visit->earlier_frame;
    if (view->packet->syn_at.len == 0)
        return 0;
    piece = q2p_pieces_find(&view->transmission->pieces, view->packet->syn);
    return piece != NULL ? piece->frame : 0;
}

/* Every number is listed once: where the receiver gives up, else at the end of what there is. */
static void show_missing(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_transmission *transmission = view->transmission;
    uint32_t count = transmission->fragments - transmission->pieces.count;
    uint32_t at_frame = transmission->gave_up_frame;
    proto_item *item = proto_tree_add_uint(tree, hf_q2p_missing_count, view->tvb, 0, 0, count);

    q2p__generated(item);
    if (at_frame == 0 && view->pinfo->fd->visited)
        at_frame = transmission->last_frame;
    if (count == 0 || at_frame != view->pinfo->num)
        return;

    uint32_t room = MIN(count, MISSING_SHOWN_MAX);
    uint32_t *syns = wmem_alloc_array(view->pinfo->pool, uint32_t, room);
    uint32_t found = q2p_pieces_missing(&transmission->pieces, transmission->fragments, syns, room);
    for (uint32_t i = 0; i < found; i++)
        q2p__generated(proto_tree_add_uint(tree, hf_q2p_missing, view->tvb, 0, 0, syns[i]));
    if (found < count)
        proto_item_append_text(item, ", the first %u of them listed", found);
}

static void show_data(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_transmission *transmission = view->transmission;
    tvbuff_t *whole;

    if (transmission->complete_frame != view->pinfo->num || transmission->data == NULL)
        return;
    whole = tvb_new_child_real_data(view->tvb, transmission->data, transmission->length,
                                    (int)transmission->length);
    add_new_data_source(view->pinfo, whole, "Reassembled Q2P");
    q2p__generated(
        proto_tree_add_uint(tree, hf_q2p_reassembled_length, whole, 0, 0, transmission->length));
    q2p__generated(proto_tree_add_item(tree, hf_q2p_reassembled_data, whole, 0, -1, ENC_NA));
}

void q2p__show_transmission(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_transmission *transmission = view->transmission;
    tvbuff_t *tvb = view->tvb;
    proto_item *root;
    proto_tree *below = proto_tree_add_subtree_format(tree, tvb, 0, 0, ett_q2p_transmission, &root,
                                                      "Transmission %u", transmission->index);
    bool complete = q2p_transmission_complete(transmission);

    q2p__generated(root);
    q2p__generated(proto_tree_add_uint(below, hf_q2p_transmission, tvb, 0, 0, transmission->index));
    q2p__generated(proto_tree_add_uint(below, hf_q2p_sending, tvb, 0, 0, transmission->sending));
    q2p__add_frame(below, hf_q2p_started_in, tvb, transmission->first_frame);
    if (transmission->length_known) {
        q2p__generated(
            proto_tree_add_uint(below, hf_q2p_fragments, tvb, 0, 0, transmission->fragments));
        show_missing(view, below);
    }
    if (transmission->fragments > 0) /* of nothing, nobody can say whether it came */
        q2p__generated(proto_tree_add_boolean(below, hf_q2p_complete, tvb, 0, 0, complete));
    q2p__add_frame(below, hf_q2p_reassembled_in, tvb, complete ? transmission->complete_frame : 0);
    q2p__add_frame(below, hf_q2p_gave_up_in, tvb, transmission->gave_up_frame);
    q2p__add_frame(below, hf_q2p_refused_in, tvb, q2p_transmission_refused(transmission));
    q2p__add_frame(below, hf_q2p_duplicate_of, tvb, earlier_frame(view));
    q2p__complain(view, root, q2p_transmission_unread(transmission), &ei_q2p_unread);
    q2p__complain(view, root,
                  transmission->complete_frame == view->pinfo->num && transmission->data == NULL,
                  &ei_q2p_uncollected);
    if (complete)
        show_data(view, below);
}
