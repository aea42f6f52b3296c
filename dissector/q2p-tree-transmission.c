/* SPDX-License-Identifier: GPL-2.0-or-later */
/* q2p-tree-transmission.c - the part of the tree that tells of a transmission: what came of it,
 * what this frame is to it, and the data put together. */
#include "q2p-tap.h"
#include "q2p-tree-private.h"

#define MISSING_SHOWN_MAX 1000 /* an announced length may leave millions missing */

/* The frame in which this fragment was seen before, 0 if it was not. */
static uint32_t earlier_frame(const struct q2p_view *view)
{
    if (view->visit->transmission == view->transmission)
        return view->visit->earlier_frame;
    if (view->packet->syn_at.len == 0)
        return 0;
    return q2p_pieces_frame(&view->transmission->pieces, view->packet->syn);
}

/* Every number is listed once: where the receiver gives up, else at the end of what there is. */
static void show_missing(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_transmission *transmission = view->transmission;
    uint32_t count = transmission->fragments - transmission->pieces.count + transmission->wanted;
    uint32_t at_frame = transmission->gave_up_frame;
    proto_item *item = proto_tree_add_uint(tree, hf_q2p_missing_count, view->tvb, 0, 0, count);

    q2p__generated(item);
    if (at_frame == 0 && view->pinfo->fd->visited)
        at_frame = transmission->last_frame;
    if (count == 0 || at_frame != view->pinfo->num)
        return;

    uint32_t room = MIN(count, MISSING_SHOWN_MAX);
    uint32_t *syns = wmem_alloc_array(view->pinfo->pool, uint32_t, room);
    uint32_t found = q2p_transmission_missing(transmission, syns, room);
    for (uint32_t i = 0; i < found; i++)
        q2p__generated(proto_tree_add_uint(tree, hf_q2p_missing, view->tvb, 0, 0, syns[i]));
    if (found < count)
        proto_item_append_text(item, ", the first %u of them listed", found);
}

/* What the key says of the data. Computed once, when somebody looks at them. */
static const char *checked(const struct q2p_view *view)
{
    uint32_t length = view->transmission->length;
    const uint8_t *data = tvb_get_ptr(view->whole, 0, (int)length);
    GChecksum *sum = g_checksum_new(G_CHECKSUM_MD5);
    uint8_t alone[Q2P_HASH_LEN], with[Q2P_HASH_LEN];
    gsize size = sizeof alone;
    const char *to = q2p_tap_endpoint(view->pinfo->pool, &view->pinfo->dst, view->pinfo->destport);

    g_checksum_update(sum, data, length);
    GChecksum *sum_with = g_checksum_copy(sum);
    g_checksum_update(sum_with, (const uint8_t *)to, (gssize)strlen(to));
    g_checksum_get_digest(sum, alone, &size);
    g_checksum_get_digest(sum_with, with, &size);
    g_checksum_free(sum);
    g_checksum_free(sum_with);
    if (memcmp(alone, view->transmission->hash.bytes, sizeof alone) == 0)
        return "matches the data";
    if (memcmp(with, view->transmission->hash.bytes, sizeof with) == 0)
        return "matches the data and the destination";
    return "cannot be told";
}

/* What there is to say where it became complete. */
static void show_data(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_transmission *transmission = view->transmission;
    q2p_time took = transmission->complete_time - transmission->first_time;
    nstime_t duration = q2p__nstime(took);
    uint32_t length = transmission->length;
    tvbuff_t *whole = view->whole;

    q2p__generated(proto_tree_add_time(tree, hf_q2p_duration, view->tvb, 0, 0, &duration));
    if (took > 0)
        q2p__generated(proto_tree_add_uint64(tree, hf_q2p_goodput, view->tvb, 0, 0,
                                             (uint64_t)(length * 8.0 * Q2P_SECOND / (double)took)));
    if (whole == NULL)
        return;
    q2p__generated(proto_tree_add_uint(tree, hf_q2p_reassembled_length, whole, 0, 0, length));
    q2p__generated(proto_tree_add_item(tree, hf_q2p_reassembled_data, whole, 0, -1, ENC_NA));
    q2p__generated(proto_tree_add_string(tree, hf_q2p_hash_check, whole, 0, 0, checked(view)));
}

/* OPTIONS and its OPTIONSFEEDBACK. */
static void show_handshake(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_transmission *transmission = view->transmission;
    enum q2p_role role = (enum q2p_role)view->visit->role;
    nstime_t took = q2p__nstime(transmission->ready_time - transmission->start_time);

    if (role == Q2P_ROLE_START)
        q2p__add_frame(tree, hf_q2p_response_in, view->tvb, transmission->ready_frame);
    if (role != Q2P_ROLE_READY || transmission->start_frame == 0 ||
        view->packet->state_at.len > 0) /* that answers a question of its own */
        return;
    q2p__add_frame(tree, hf_q2p_response_to, view->tvb, transmission->start_frame);
    if (transmission->ready_frame == view->pinfo->num)
        q2p__generated(proto_tree_add_time(tree, hf_q2p_response_time, view->tvb, 0, 0, &took));
}

/* Which frames ask for fragments, and which bring them. */
static void show_asks(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_packet *packet = view->packet;
    const struct q2p_transmission *transmission = view->visit->transmission;
    uint32_t frame = view->pinfo->num;

    if (transmission == NULL)
        return;
    if (packet->syn_at.len > 0)
        q2p__add_frame(tree, hf_q2p_asked_in, view->tvb,
                       q2p_transmission_asked(transmission, packet->syn, frame));
    for (uint32_t i = 0; i < packet->lost_count; i++) {
        uint32_t syn = q2p_wire_lost(packet, tvb_get_ptr(view->tvb, 0, -1), i);
        q2p__add_frame(tree, hf_q2p_answered_in, view->tvb,
                       q2p_transmission_answered(transmission, syn, frame));
    }
}

/* What this frame is to the transmission. */
static void show_part(const struct q2p_view *view, proto_tree *tree)
{
    enum q2p_role role = (enum q2p_role)view->visit->role;
    bool piece = role == Q2P_ROLE_PIECE || role == Q2P_ROLE_RESENT;

    if (piece && view->visit->transmission != view->transmission)
        role = Q2P_ROLE_DUPLICATE; /* seemed to begin a sending of its own */
    q2p__generated(proto_tree_add_string(tree, hf_q2p_role, view->tvb, 0, 0, q2p_role_name(role)));
    if (view->packet->syn_at.len > 0 && view->packet->syn < UINT32_MAX)
        q2p__generated(
            proto_tree_add_uint(tree, hf_q2p_fragment, view->tvb, 0, 0, view->packet->syn + 1));
    q2p__add_frame(tree, hf_q2p_duplicate_of, view->tvb, earlier_frame(view));
    show_asks(view, tree);
    show_handshake(view, tree);
}

/* The fields. */
static proto_item *show_fields(const struct q2p_view *view, proto_tree *tree)
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
    show_part(view, below);
    q2p__add_frame(below, hf_q2p_started_in, tvb, transmission->first_frame);
    if (transmission->length_known) {
        q2p__generated(
            proto_tree_add_uint(below, hf_q2p_fragments, tvb, 0, 0, transmission->fragments));
        show_missing(view, below);
    }
    if (transmission->fragments > 0) /* of nothing, nobody can say whether it came */
        q2p__generated(proto_tree_add_boolean(below, hf_q2p_complete, tvb, 0, 0, complete));
    q2p__generated(proto_tree_add_string(below, hf_q2p_verdict, tvb, 0, 0,
                                         q2p_transmission_verdict(transmission)));
    q2p__add_frame(below, hf_q2p_reassembled_in, tvb, complete ? transmission->complete_frame : 0);
    q2p__add_frame(below, hf_q2p_gave_up_in, tvb, transmission->gave_up_frame);
    q2p__add_frame(below, hf_q2p_refused_in, tvb, q2p_transmission_refused(transmission));
    if (complete && transmission->complete_frame == view->pinfo->num)
        show_data(view, below);
    return root;
}

void q2p__show_transmission(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_transmission *transmission = view->transmission;
    proto_item *root = view->wanted ? show_fields(view, tree) : NULL;

    q2p__complain(view, root, q2p_transmission_unread(transmission), &ei_q2p_unread);
    q2p__complain(view, root,
                  transmission->complete_frame == view->pinfo->num && transmission->pieces.cut,
                  &ei_q2p_uncollected);
}
