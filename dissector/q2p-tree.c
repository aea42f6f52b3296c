/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-tree.c - a datagram as a tree of fields: first what it says, each field where the codec
 * found it, then, in brackets, what is known of its transmission. Works without a tree as well,
 * as Wireshark often asks for no more than the fields it needs.
 */
#include "q2p-tree.h"

#include <q2p/status.h>

#include "q2p-fields.h"
#include "spans.h"

#define MISSING_SHOWN_MAX 1000 /* an announced length may leave millions missing */

static void generated(proto_item *item)
{
    proto_item_set_generated(item);
}

static void add_frame(proto_tree *tree, int hf, tvbuff_t *tvb, uint32_t frame)
{
    if (frame != 0)
        generated(proto_tree_add_uint(tree, hf, tvb, 0, 0, frame));
}

static void complain(const struct q2p_view *view, proto_item *item, bool is_so, expert_field *ei)
{
    if (is_so)
        expert_add_info(view->pinfo, item, ei);
}

static void show_address(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_packet *packet = view->packet;
    const struct q2p_addr *address = &packet->address;
    int at = (int)packet->address_at.at, len = (int)packet->address_at.len;
    proto_item *item =
        q2p_add_span(tree, hf_q2p_address, view->tvb, packet->address_at, ENC_UTF_8 | ENC_NA);

    if (address->ip_len == 0)
        return;

    proto_tree *below = proto_item_add_subtree(item, ett_q2p_address);
    if (address->ip_len == sizeof(ws_in4_addr)) {
        ws_in4_addr ip;
        memcpy(&ip, address->ip, sizeof ip);
        generated(proto_tree_add_ipv4(below, hf_q2p_address_ip, view->tvb, at, len, ip));
    } else {
        ws_in6_addr ip;
        memcpy(&ip, address->ip, sizeof ip);
        generated(proto_tree_add_ipv6(below, hf_q2p_address_ipv6, view->tvb, at, len, &ip));
    }
    generated(proto_tree_add_uint(below, hf_q2p_address_port, view->tvb, at, len, address->port));
}

static void show_list(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_packet *packet = view->packet;
    struct q2p_span at = packet->lost_at;

    if (packet->hash_at.len == 0)
        return;

    proto_item *item = proto_tree_add_uint(tree, hf_q2p_lost_count, view->tvb, (int)at.at,
                                           (int)at.len, packet->lost_count);
    proto_tree *below = proto_item_add_subtree(item, ett_q2p_lost);
    const uint8_t *bytes = tvb_get_ptr(view->tvb, 0, -1);

    generated(item);
    if (packet->lost_count == 0)
        return;
    at.len /= packet->lost_count;
    at.len -= at.len % (uint32_t)sizeof(uint32_t); /* no part of an unfinished number */
    for (uint32_t i = 0; i < packet->lost_count; i++, at.at += at.len)
        proto_tree_add_uint(below, hf_q2p_lost, view->tvb, (int)at.at, (int)at.len,
                            q2p_wire_lost(packet, bytes, i));
    complain(view, item, view->status == Q2P_ERR_OVERSIZE, &ei_q2p_oversize_list);
}

/* What the message says. */
static void show_message(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_packet *packet = view->packet;
    struct q2p_span event_at = packet->event_at;

    q2p_add_span(tree, hf_q2p_network_id, view->tvb, packet->network_id_at, ENC_LITTLE_ENDIAN);
    q2p_add_span(tree, q2p_field_event(packet->dialect), view->tvb, event_at, ENC_LITTLE_ENDIAN);
    if (event_at.len > 0) {
        generated(proto_tree_add_string(tree, hf_q2p_event_name, view->tvb, (int)event_at.at,
                                        (int)event_at.len, q2p_event_name(packet->event)));
        proto_item *item = proto_tree_add_string(tree, hf_q2p_dialect, view->tvb, 0, 0,
                                                 q2p_dialect_name(packet->dialect));
        generated(item);
        if (view->visit->assumed)
            proto_item_append_text(item, " (assumed: nothing proves it)");
    }
    if (q2p_event_shape(packet->event) == Q2P_SHAPE_ADDRESS)
        show_address(view, tree);
    q2p_add_span(tree, hf_q2p_reason, view->tvb, packet->reason_at, ENC_UTF_8 | ENC_NA);
    q2p_add_span(tree, hf_q2p_hash, view->tvb, packet->hash_at, ENC_NA);
    q2p_add_span(tree, hf_q2p_length, view->tvb, packet->length_at, ENC_LITTLE_ENDIAN);
    q2p_add_span(tree, hf_q2p_syn, view->tvb, packet->syn_at, ENC_LITTLE_ENDIAN);
    q2p_add_span(tree, hf_q2p_body, view->tvb, packet->body_at, ENC_NA);
    if (packet->event == Q2P_EV_TRANSPORT_FAILED)
        show_list(view, tree);
    complain(view, q2p_add_span(tree, hf_q2p_trailing, view->tvb, packet->trailing_at, ENC_NA),
             packet->trailing_at.len > 0, &ei_q2p_trailing);
}

/* What is odd about it, as far as the message itself shows. */
static void show_trouble(const struct q2p_view *view, proto_item *item)
{
    if (view->pinfo->flags.in_error_pkt)
        return; /* an ICMP error quotes as much of it as it likes */
    if (view->status != Q2P_OK)
        expert_add_info(view->pinfo, item, q2p_expert_status(view->status));
    complain(view, item, view->visit->foreign, &ei_q2p_foreign);
    complain(view, item, view->packet->event == Q2P_EV_CONNECT_FAILED, &ei_q2p_mismatch);
}

/* What is odd about it, compared with what came before. */
static void show_role(const struct q2p_view *view, proto_item *item)
{
    const struct q2p_visit *visit = view->visit;
    enum q2p_role role = (enum q2p_role)visit->role;
    bool list = role == Q2P_ROLE_ASK || role == Q2P_ROLE_GAVE_UP;
    /* A sending of its own that came to nothing: duplicates of the one before. */
    bool again = role == Q2P_ROLE_PIECE && visit->transmission != view->transmission;

    complain(view, item, role == Q2P_ROLE_DUPLICATE || again, &ei_q2p_duplicate);
    complain(view, item, role == Q2P_ROLE_CONFLICT, &ei_q2p_conflict);
    complain(view, item, role == Q2P_ROLE_LATE, &ei_q2p_late);
    complain(view, item, role == Q2P_ROLE_STRAY, &ei_q2p_stray);
    complain(view, item, role == Q2P_ROLE_BAD && view->status == Q2P_OK, &ei_q2p_misfit);
    complain(view, item, role == Q2P_ROLE_RESTART, &ei_q2p_restart);
    complain(view, item, role == Q2P_ROLE_ORPHAN, &ei_q2p_orphan);
    complain(view, item, visit->length_changed, &ei_q2p_length_changed);
    complain(view, item, list && visit->after_complete, &ei_q2p_after_complete);
    complain(view, item, list && visit->asked_seen && !visit->after_complete, &ei_q2p_asked_seen);
    complain(view, item, role == Q2P_ROLE_GAVE_UP && !visit->after_complete, &ei_q2p_gave_up);
}

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

    generated(item);
    if (at_frame == 0 && view->pinfo->fd->visited)
        at_frame = transmission->last_frame;
    if (count == 0 || at_frame != view->pinfo->num)
        return;

    uint32_t room = MIN(count, MISSING_SHOWN_MAX);
    uint32_t *syns = wmem_alloc_array(view->pinfo->pool, uint32_t, room);
    uint32_t found = q2p_pieces_missing(&transmission->pieces, transmission->fragments, syns, room);
    for (uint32_t i = 0; i < found; i++)
        generated(proto_tree_add_uint(tree, hf_q2p_missing, view->tvb, 0, 0, syns[i]));
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
    generated(
        proto_tree_add_uint(tree, hf_q2p_reassembled_length, whole, 0, 0, transmission->length));
    generated(proto_tree_add_item(tree, hf_q2p_reassembled_data, whole, 0, -1, ENC_NA));
}

/* What is known of the transmission. */
static void show_transmission(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_transmission *transmission = view->transmission;
    tvbuff_t *tvb = view->tvb;
    proto_item *root;
    proto_tree *below = proto_tree_add_subtree_format(tree, tvb, 0, 0, ett_q2p_transmission, &root,
                                                      "Transmission %u", transmission->index);
    bool complete = q2p_transmission_complete(transmission);

    generated(root);
    generated(proto_tree_add_uint(below, hf_q2p_transmission, tvb, 0, 0, transmission->index));
    generated(proto_tree_add_uint(below, hf_q2p_sending, tvb, 0, 0, transmission->sending));
    add_frame(below, hf_q2p_started_in, tvb, transmission->first_frame);
    if (transmission->length_known) {
        generated(proto_tree_add_uint(below, hf_q2p_fragments, tvb, 0, 0, transmission->fragments));
        show_missing(view, below);
    }
    if (transmission->fragments > 0) /* of nothing, nobody can say whether it came */
        generated(proto_tree_add_boolean(below, hf_q2p_complete, tvb, 0, 0, complete));
    add_frame(below, hf_q2p_reassembled_in, tvb, complete ? transmission->complete_frame : 0);
    add_frame(below, hf_q2p_gave_up_in, tvb, transmission->gave_up_frame);
    add_frame(below, hf_q2p_refused_in, tvb, q2p_transmission_refused(transmission));
    add_frame(below, hf_q2p_duplicate_of, tvb, earlier_frame(view));
    complain(view, root, q2p_transmission_unread(transmission), &ei_q2p_unread);
    complain(view, root,
             transmission->complete_frame == view->pinfo->num && transmission->data == NULL,
             &ei_q2p_uncollected);
    if (complete)
        show_data(view, below);
}

void q2p_tree_show(const struct q2p_view *view, proto_tree *tree)
{
    proto_item *root = proto_tree_get_parent(tree);

    show_message(view, tree);
    show_trouble(view, root);
    if (view->visit->role != Q2P_ROLE_NONE)
        show_role(view, root);
    if (view->transmission != NULL)
        show_transmission(view, tree);
}
