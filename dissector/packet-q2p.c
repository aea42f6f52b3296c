/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet-q2p.c - where Wireshark comes in: registration, preferences, the heuristic, and one
 * datagram from payload to tree. What a datagram looks like is known to libq2p alone; what it
 * means in the capture, to q2p-state.c.
 *
 * Two ways lead here. A port of the preferences, and Decode As, are the user's word: there anything
 * is shown as Q2P, and what is wrong with it is said. A talk that the heuristic has found, or that
 * a punching message has announced, shows only what may be Q2P and leaves the rest to others.
 */
#include "packet-q2p.h"

#include "q2p-compat.h"

#include <epan/conversation.h>
#include <epan/prefs.h>
#include <epan/tap.h>

#include <q2p/status.h>

#include "q2p-fields.h"
#include "q2p-menu.h"
#include "q2p-networks.h"
#include "q2p-payload.h"
#include "q2p-state.h"
#include "q2p-tap.h"
#include "q2p-taps.h"
#include "q2p-tree.h"

#define TO_TEXT(x) #x
#define TEXT_OF(x) TO_TEXT(x)

int proto_q2p = -1;

static dissector_handle_t q2p_handle;       /* ports and Decode As */
static dissector_handle_t q2p_found_handle; /* talks found by the heuristic */
static int tap, export_tap;
static int forced_dialect = Q2P_DIALECT_UNKNOWN;

static const struct q2p_visit no_visit;

/* Reads the datagram; learns from it first, if it is seen for the first time. Fills in `view`. */
static bool read_datagram(struct q2p_view *view, struct q2p_packet *packet)
{
    struct q2p_visit *visit = q2p_state_visit(view->pinfo);
    bool first = visit != NULL && !visit->seen && !view->pinfo->fd->visited;
    uint32_t have = tvb_captured_length(view->tvb);

    view->packet = packet;
    view->visit = visit != NULL ? visit : &no_visit;
    if (first)
        view->status = q2p_state_learn(visit, view->pinfo, (enum q2p_dialect)forced_dialect,
                                       view->tvb, packet);
    else
        view->status = q2p_wire_read(packet, (enum q2p_dialect)view->visit->dialect,
                                     tvb_get_ptr(view->tvb, 0, (int)have), have,
                                     tvb_reported_length(view->tvb));
    view->transmission = q2p_transmission_shown(view->visit);
    view->punch = q2p_punch_of(view->visit, packet->event);
    return first;
}

/* What these two say to each other is Q2P from this frame on, unless something else has laid hands
 * on it. */
static void claim(conversation_t *talk, const packet_info *pinfo)
{
    if (conversation_get_dissector(talk, pinfo->num) == NULL)
        conversation_set_dissector_from_frame_number(talk, pinfo->num, q2p_found_handle);
}

/* The receiver and that node will talk. */
static void expect_between(const packet_info *pinfo, const address *named, uint32_t port,
                           bool any_port)
{
    conversation_type type = conversation_pt_to_conversation_type(pinfo->ptype);
    uint32_t other_port = any_port ? 0 : pinfo->destport;
    conversation_t *talk = find_conversation(pinfo->num, named, &pinfo->dst, type, port, other_port,
                                             any_port ? NO_PORT_B : 0);

    if (talk == NULL)
        talk = conversation_new(pinfo->num, named, &pinfo->dst, type, port, other_port,
                                any_port ? NO_PORT2 : 0);
    claim(talk, pinfo);
}

/*
 * TOUCHREQUEST and CONNECTREQUEST tell their receiver whom to talk to next: that talk is Q2P
 * whatever its ports are, also if a NAT gives the receiver another one for it.
 */
static void expect_talk(const packet_info *pinfo, const struct q2p_addr *to)
{
    address addr;

    set_address(&addr, to->ip_len == sizeof(ws_in4_addr) ? AT_IPv4 : AT_IPv6, to->ip_len, to->ip);
    expect_between(pinfo, &addr, to->port, false);
    expect_between(pinfo, &addr, to->port, true);
}

/* Tells the statistics, if any are wanted. */
static void tell(const struct q2p_view *view)
{
    enum q2p_event event = view->packet->event;
    struct q2p_tap *told;

    if (view->pinfo->flags.in_error_pkt ||
        (!have_tap_listener(tap) && !have_tap_listener(export_tap)))
        return;
    told = wmem_new0(view->pinfo->pool, struct q2p_tap);
    told->packet = (const struct q2p_packet *)wmem_memdup(view->pinfo->pool, view->packet,
                                                          sizeof *view->packet);
    told->status = view->status;
    told->tvb = view->tvb;
    told->transmission = view->transmission;
    told->role = (enum q2p_role)view->visit->role;
    told->to_receiver = event == Q2P_EV_TRANSPORT || event == Q2P_EV_OPTIONS;
    told->after_complete = view->visit->after_complete;
    told->punch = view->punch;
    told->visit = view->visit;
    tap_queue_packet(tap, view->pinfo, told);
    tap_queue_packet(export_tap, view->pinfo, told);
}

/* The sentence, where somebody reads it; words take longer than all the rest. */
static proto_item *say(const struct q2p_view *view, proto_tree *tree)
{
    packet_info *pinfo = view->pinfo;
    bool visible = tree != NULL && PTREE_DATA(tree)->visible;
    const char *text = "";

    col_set_str(pinfo->cinfo, COL_PROTOCOL, "Q2P");
    if (visible || col_get_writable(pinfo->cinfo, COL_INFO))
        text = q2p_text_of(view);
    col_add_str(pinfo->cinfo, COL_INFO, text);
    if (!visible)
        return proto_tree_add_item(tree, proto_q2p, view->tvb, 0, -1, ENC_NA);
    return proto_tree_add_protocol_format(tree, proto_q2p, view->tvb, 0, -1, "Q2P, %s", text);
}

static int dissect_q2p(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data _U_)
{
    struct q2p_packet packet;
    struct q2p_view view = {.pinfo = pinfo, .tvb = tvb};

    if (tvb_captured_length(tvb) == 0)
        return 0;

    bool first = read_datagram(&view, &packet);
    bool names_a_peer =
        packet.event == Q2P_EV_TOUCHREQUEST || packet.event == Q2P_EV_CONNECTREQUEST;
    if (first && names_a_peer && view.status == Q2P_OK && !pinfo->flags.in_error_pkt)
        expect_talk(pinfo, &packet.address);

    view.wanted = tree != NULL && proto_field_is_referenced(tree, proto_q2p);
    view.whole = q2p_payload_whole(&view);
    q2p_tree_show(&view, proto_item_add_subtree(say(&view, tree), ett_q2p));
    tell(&view);
    q2p_payload_dissect(&view, tree);
    return (int)tvb_captured_length(tvb);
}

static int dissect_q2p_found(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    uint32_t have = tvb_captured_length(tvb);

    if (have == 0 || q2p_wire_likeness(tvb_get_ptr(tvb, 0, (int)have), have,
                                       tvb_reported_length(tvb)) == Q2P_LIKENESS_NONE)
        return 0;

    int taken = dissect_q2p(tvb, pinfo, tree, data);
    const struct q2p_visit *visit = pinfo->fd->visited ? NULL : q2p_state_visit(pinfo);

    /* From another port than the one announced: 4.6 would find the announcement for that way only.
     */
    if (visit != NULL && visit->role == Q2P_ROLE_STEP && !pinfo->flags.in_error_pkt)
        claim(find_or_create_conversation(pinfo), pinfo);
    return taken;
}

/*
 * Takes a packet once enough of its talk has been seen to be sure. The talk is Q2P from this frame
 * on, not before, so that it is shown the same however often one looks.
 */
static q2p_heur_bool dissect_q2p_heur(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree,
                                      void *data)
{
    const struct q2p_visit *visit = pinfo->fd->visited ? q2p_state_visit(pinfo) : NULL;

    if (pinfo->fd->visited && (visit == NULL || !visit->seen))
        return false;
    if (visit == NULL) {
        if (pinfo->flags.in_error_pkt || tvb_captured_length(tvb) == 0 ||
            !q2p_state_convinces(pinfo, tvb))
            return false;
        conversation_set_dissector_from_frame_number(find_or_create_conversation(pinfo), pinfo->num,
                                                     q2p_found_handle);
    }
    dissect_q2p(tvb, pinfo, tree, data);
    return true;
}

void proto_register_q2p(void)
{
    static const enum_val_t dialects[] = {
#define XX(name, number, word, sentence)                                                           \
    {(number) == Q2P_DIALECT_UNKNOWN ? "auto" : (word),                                            \
     (number) == Q2P_DIALECT_UNKNOWN ? "find out" : (sentence), (number)},
        Q2P_DIALECT_MAP(XX)
#undef XX
            {NULL, NULL, 0},
    };

    proto_q2p = proto_register_protocol("Q2P peer-to-peer protocol", "Q2P", "q2p");
    q2p_fields_register(proto_q2p);
    q2p_handle = register_dissector("q2p", dissect_q2p, proto_q2p);
    q2p_found_handle = create_dissector_handle(dissect_q2p_found, proto_q2p);
    q2p_state_register();
    tap = register_tap(Q2P_TAP_NAME);
    q2p_stats_register(proto_q2p);
    q2p_flow_register(proto_q2p);
    export_tap = q2p_follow_register(proto_q2p);

    q2p_payload_register(proto_q2p);
    q2p_menu_register(proto_q2p);

    module_t *preferences = prefs_register_protocol(proto_q2p, NULL);
    q2p_networks_register(preferences);
    prefs_register_enum_preference(preferences, "dialect", "Dialect",
                                   "Which event numbers and headers the nodes use. A capture"
                                   " nearly always tells.",
                                   &forced_dialect, dialects, false);
}

void proto_reg_handoff_q2p(void)
{
    dissector_add_uint_range_with_preference("udp.port", TEXT_OF(Q2P_PORT_DEFAULT), q2p_handle);
    heur_dissector_add("udp", dissect_q2p_heur, "Q2P over UDP", "q2p_udp", proto_q2p,
                       HEURISTIC_DISABLE);
    q2p_payload_handoff();
}
