/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-tree.c - a datagram as a tree of fields: first what it says, each field where the codec
 * found it, then, in brackets, what is known of its transmission. Works without a tree as well,
 * as Wireshark often asks for no more than the fields it needs.
 */
#include <q2p/status.h>

#include "q2p-networks.h"
#include "q2p-tree-private.h"
#include "spans.h"

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
        q2p__generated(proto_tree_add_ipv4(below, hf_q2p_address_ip, view->tvb, at, len, ip));
    } else {
        ws_in6_addr ip;
        memcpy(&ip, address->ip, sizeof ip);
        q2p__generated(proto_tree_add_ipv6(below, hf_q2p_address_ipv6, view->tvb, at, len, &ip));
    }
    q2p__generated(
        proto_tree_add_uint(below, hf_q2p_address_port, view->tvb, at, len, address->port));
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

    q2p__generated(item);
    if (packet->lost_count == 0)
        return;
    at.len /= packet->lost_count;
    at.len -= at.len % (uint32_t)sizeof(uint32_t); /* no part of an unfinished number */
    for (uint32_t i = 0; i < packet->lost_count; i++, at.at += at.len)
        proto_tree_add_uint(below, hf_q2p_lost, view->tvb, (int)at.at, (int)at.len,
                            q2p_wire_lost(packet, bytes, i));
}

static void show_network(const struct q2p_view *view, proto_tree *tree)
{
    struct q2p_span at = view->packet->network_id_at;
    const char *name = at.len > 0 ? q2p_network_name(view->packet->network_id) : NULL;

    q2p_add_span(tree, hf_q2p_network_id, view->tvb, at, ENC_LITTLE_ENDIAN);
    if (name != NULL)
        q2p__generated(proto_tree_add_string(tree, hf_q2p_network_name, view->tvb, (int)at.at,
                                             (int)at.len, name));
}

/* What the message says. */
static void show_message(const struct q2p_view *view, proto_tree *tree)
{
    const struct q2p_packet *packet = view->packet;
    struct q2p_span event_at = packet->event_at;

    show_network(view, tree);
    q2p_add_span(tree, q2p_field_event(packet->dialect), view->tvb, event_at, ENC_LITTLE_ENDIAN);
    if (event_at.len > 0) {
        q2p__generated(proto_tree_add_string(tree, hf_q2p_event_name, view->tvb, (int)event_at.at,
                                             (int)event_at.len, q2p_event_name(packet->event)));
        proto_item *item = proto_tree_add_string(tree, hf_q2p_dialect, view->tvb, 0, 0,
                                                 q2p_dialect_name(packet->dialect));
        q2p__generated(item);
        if (view->visit->assumed)
            proto_item_append_text(item, " (assumed: nothing proves it)");
    }
    if (q2p_event_shape(packet->event) == Q2P_SHAPE_ADDRESS)
        show_address(view, tree);
    q2p_add_span(tree, hf_q2p_reason, view->tvb, packet->reason_at, ENC_UTF_8 | ENC_NA);
    q2p_add_span(tree, hf_q2p_hash, view->tvb, packet->hash_at, ENC_NA);
    q2p_add_span(tree, hf_q2p_length, view->tvb, packet->length_at, ENC_LITTLE_ENDIAN);
    q2p_add_span(tree, hf_q2p_syn, view->tvb, packet->syn_at, ENC_LITTLE_ENDIAN);
    q2p_add_span(tree, hf_q2p_state, view->tvb, packet->state_at, ENC_LITTLE_ENDIAN);
    q2p_add_span(tree, hf_q2p_token, view->tvb, packet->token_at, ENC_LITTLE_ENDIAN);
    q2p_add_span(tree, hf_q2p_received, view->tvb, packet->received_at, ENC_LITTLE_ENDIAN);
    q2p_add_span(tree, hf_q2p_body, view->tvb, packet->body_at, ENC_NA);
    if (packet->event == Q2P_EV_TRANSPORT_FAILED)
        show_list(view, tree);
    q2p_add_span(tree, hf_q2p_trailing, view->tvb, packet->trailing_at, ENC_NA);
}

/* What is odd about it, as far as the message itself shows. */
static void show_trouble(const struct q2p_view *view, proto_item *item)
{
    if (view->pinfo->flags.in_error_pkt)
        return; /* an ICMP error quotes as much of it as it likes */
    if (view->status != Q2P_OK)
        expert_add_info(view->pinfo, item, q2p_expert_status(view->status));
    q2p__complain(view, item, view->visit->foreign, &ei_q2p_foreign);
    q2p__complain(view, item, view->packet->trailing_at.len > 0, &ei_q2p_trailing);
    q2p__complain(view, item, view->status == Q2P_ERR_OVERSIZE && view->packet->lost_count > 0,
                  &ei_q2p_oversize_list);
    q2p__complain(view, item, view->packet->event == Q2P_EV_CONNECT_FAILED, &ei_q2p_mismatch);
}

/* What is odd about it, compared with what came before. */
static void show_role(const struct q2p_view *view, proto_item *item)
{
    const struct q2p_visit *visit = view->visit;
    enum q2p_role role = (enum q2p_role)visit->role;
    bool list = role == Q2P_ROLE_ASK || role == Q2P_ROLE_GAVE_UP;
    /* A sending of its own that came to nothing: duplicates of the one before. */
    bool piece = role == Q2P_ROLE_PIECE || role == Q2P_ROLE_RESENT;
    bool again = piece && visit->transmission != view->transmission;

    q2p__complain(view, item, role == Q2P_ROLE_DUPLICATE || again, &ei_q2p_duplicate);
    q2p__complain(view, item, role == Q2P_ROLE_RESENT && !again, &ei_q2p_resent);
    q2p__complain(view, item, role == Q2P_ROLE_CONFLICT, &ei_q2p_conflict);
    q2p__complain(view, item, role == Q2P_ROLE_LATE, &ei_q2p_late);
    q2p__complain(view, item, role == Q2P_ROLE_STRAY, &ei_q2p_stray);
    q2p__complain(view, item, role == Q2P_ROLE_BAD && view->status == Q2P_OK, &ei_q2p_misfit);
    q2p__complain(view, item, role == Q2P_ROLE_RESTART, &ei_q2p_restart);
    q2p__complain(view, item, role == Q2P_ROLE_ORPHAN, &ei_q2p_orphan);
    q2p__complain(view, item, visit->length_changed, &ei_q2p_length_changed);
    q2p__complain(view, item, role == Q2P_ROLE_ASK && visit->after_complete,
                  &ei_q2p_after_complete);
    q2p__complain(view, item, list && visit->asked_seen && !visit->after_complete,
                  &ei_q2p_asked_seen);
    q2p__complain(view, item, role == Q2P_ROLE_GAVE_UP && !visit->after_complete, &ei_q2p_gave_up);
    q2p__complain(view, item, role == Q2P_ROLE_GAVE_UP && visit->after_complete,
                  &ei_q2p_gave_up_whole);
}

void q2p_tree_show(const struct q2p_view *view, proto_tree *tree)
{
    proto_item *root = proto_tree_get_parent(tree);

    if (view->wanted)
        show_message(view, tree);
    show_trouble(view, root);
    if (view->visit->role > Q2P_ROLE_STEP)
        show_role(view, root);
    if (view->transmission != NULL)
        q2p__show_transmission(view, tree);
    if (view->visit->role == Q2P_ROLE_JOIN || view->visit->role == Q2P_ROLE_STEP)
        q2p__show_punch(view, tree);
}
