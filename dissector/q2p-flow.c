/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-flow.c - who talks to whom: conversations, endpoints, filters for what belongs together, and
 * the flow graph. Nodes are told apart by address and port everywhere, so that a whole network on
 * one machine reads as a network.
 */
#include "q2p-taps.h"

#include <epan/conversation_filter.h>
#include <epan/conversation_table.h>
#include <epan/to_str.h>

/*
 * epan/sequence_analysis.h is not installed with the other headers, although what it declares is
 * exported. This is the beginning of its structures, as far as it is used; Wireshark allocates
 * them.
 */
typedef struct {
    uint32_t frame_number;
    address src_addr;
    uint16_t port_src;
    address dst_addr;
    uint16_t port_dst;
    char *frame_label;
    char *time_str;
    char *comment;
    uint16_t conv_num;
    unsigned fg_color, bg_color;
    q2p_compat_bool has_color_filter, display;
    unsigned src_node, dst_node;
    uint16_t line_style;
} seq_analysis_item_t;

typedef struct {
    const char *name;
    q2p_compat_bool any_addr;
    int nconv;
    GQueue *items;
} seq_analysis_info_t;

WS_DLL_PUBLIC void register_seq_analysis(const char *name, const char *ui_name, int proto_id,
                                         const char *tap_listener, unsigned tap_flags,
                                         tap_packet_cb tap_func);
WS_DLL_PUBLIC seq_analysis_item_t *
sequence_analysis_create_sai_with_addresses(packet_info *pinfo, seq_analysis_info_t *sainfo);
WS_DLL_PUBLIC void sequence_analysis_use_color_filter(packet_info *pinfo,
                                                      seq_analysis_item_t *item);

static void name_node(const packet_info *pinfo, address *addr, const address *from, uint32_t port)
{
    const char *text = q2p_tap_endpoint(pinfo->pool, from, port);

    free_address(addr);
    alloc_address_wmem(NULL, addr, AT_STRINGZ, (int)strlen(text) + 1, text);
}

/* What stands on the arrow: little, as there is little room. */
static char *label_of(const struct q2p_tap *tap)
{
    const struct q2p_packet *packet = tap->packet;
    const char *name = q2p_event_name(packet->event);

    if (packet->syn_at.len > 0)
        return g_strdup_printf("%s %u (%u B)", name, packet->syn, packet->body_at.len);
    if (packet->lost_count > 0)
        return g_strdup_printf("%s %u lost", name, packet->lost_count);
    if (packet->event == Q2P_EV_OPTIONS && packet->length_at.len > 0)
        return g_strdup_printf("%s (%u B)", name, packet->length);
    return g_strdup(name);
}

static tap_packet_status draw_arrow(void *tapdata, packet_info *pinfo, epan_dissect_t *edt _U_,
                                    const void *data, tap_flags_t flags _U_)
{
    seq_analysis_info_t *graph = (seq_analysis_info_t *)tapdata;
    const struct q2p_tap *tap = (const struct q2p_tap *)data;
    seq_analysis_item_t *item = sequence_analysis_create_sai_with_addresses(pinfo, graph);

    if (item == NULL)
        return TAP_PACKET_DONT_REDRAW;
    item->frame_number = pinfo->num;
    sequence_analysis_use_color_filter(pinfo, item);
    name_node(pinfo, &item->src_addr, &pinfo->src, pinfo->srcport);
    name_node(pinfo, &item->dst_addr, &pinfo->dst, pinfo->destport);
    item->port_src = (uint16_t)pinfo->srcport;
    item->port_dst = (uint16_t)pinfo->destport;
    item->frame_label = label_of(tap);
    item->comment = g_strdup(q2p_tap_text(pinfo, tap));
    item->conv_num = tap->transmission != NULL ? (uint16_t)(tap->transmission->index + 1) : 0;
    item->line_style = 1;
    item->display = true;
    g_queue_push_tail(graph->items, item);
    return TAP_PACKET_REDRAW;
}

static const char *field_of(const address *addr, conv_filter_type_e filter)
{
    bool six = addr->type == AT_IPv6;

    switch (filter) {
    case CONV_FT_SRC_ADDRESS:
        return six ? "ipv6.src" : "ip.src";
    case CONV_FT_DST_ADDRESS:
        return six ? "ipv6.dst" : "ip.dst";
    case CONV_FT_ANY_ADDRESS:
        return six ? "ipv6.addr" : "ip.addr";
    case CONV_FT_SRC_PORT:
        return "udp.srcport";
    case CONV_FT_DST_PORT:
        return "udp.dstport";
    case CONV_FT_ANY_PORT:
        return "udp.port";
    default:
        return CONV_FILTER_INVALID;
    }
}

static const char *field_of_talk(conv_item_t *item, conv_filter_type_e filter)
{
    return field_of(&item->src_address, filter);
}

static const char *field_of_endpoint(endpoint_item_t *item, conv_filter_type_e filter)
{
    return field_of(&item->myaddress, filter);
}

static ct_dissector_info_t talk_info = {.get_filter_type = field_of_talk};
static et_dissector_info_t endpoint_info = {.get_filter_type = field_of_endpoint};

static tap_packet_status count_talk(void *tapdata, packet_info *pinfo, epan_dissect_t *edt _U_,
                                    const void *data _U_, tap_flags_t flags)
{
    conv_hash_t *table = (conv_hash_t *)tapdata;

    table->flags = flags;
    add_conversation_table_data(table, &pinfo->src, &pinfo->dst, pinfo->srcport, pinfo->destport, 1,
                                (int)pinfo->fd->pkt_len, &pinfo->rel_ts, &pinfo->abs_ts, &talk_info,
                                CONVERSATION_UDP);
    return TAP_PACKET_REDRAW;
}

static tap_packet_status count_endpoint(void *tapdata, packet_info *pinfo, epan_dissect_t *edt _U_,
                                        const void *data _U_, tap_flags_t flags)
{
    conv_hash_t *table = (conv_hash_t *)tapdata;
    int bytes = (int)pinfo->fd->pkt_len;

    table->flags = flags;
    add_endpoint_table_data(table, &pinfo->src, pinfo->srcport, true, 1, bytes, &endpoint_info,
                            ENDPOINT_UDP);
    add_endpoint_table_data(table, &pinfo->dst, pinfo->destport, false, 1, bytes, &endpoint_info,
                            ENDPOINT_UDP);
    return TAP_PACKET_REDRAW;
}

static q2p_compat_bool has_talk(packet_info *pinfo Q2P_COMPAT_USER_DATA)
{
    return proto_is_frame_protocol(pinfo->layers, "q2p") &&
           (pinfo->src.type == AT_IPv4 || pinfo->src.type == AT_IPv6);
}

static char *filter_of_talk(packet_info *pinfo Q2P_COMPAT_USER_DATA)
{
    return g_strdup_printf(
        "q2p && %s == %s && %s == %s && udp.port == %u && udp.port == %u",
        field_of(&pinfo->src, CONV_FT_ANY_ADDRESS), address_to_str(pinfo->pool, &pinfo->src),
        field_of(&pinfo->dst, CONV_FT_ANY_ADDRESS), address_to_str(pinfo->pool, &pinfo->dst),
        pinfo->srcport, pinfo->destport);
}

static const struct q2p_transmission *transmission_of(const packet_info *pinfo)
{
    const struct q2p_visit *visit =
        proto_is_frame_protocol(pinfo->layers, "q2p") ? q2p_state_visit(pinfo) : NULL;

    return visit != NULL && visit->seen ? q2p_transmission_shown(visit) : NULL;
}

static q2p_compat_bool has_transmission(packet_info *pinfo Q2P_COMPAT_USER_DATA)
{
    return transmission_of(pinfo) != NULL;
}

static char *filter_of_transmission(packet_info *pinfo Q2P_COMPAT_USER_DATA)
{
    const struct q2p_transmission *transmission = transmission_of(pinfo);

    if (transmission == NULL)
        return NULL;
    return g_strdup_printf("q2p.transmission == %u", transmission->index);
}

void q2p_flow_register(int proto)
{
    register_conversation_table(proto, false, count_talk, count_endpoint);
    register_seq_analysis("q2p", "Q2P Flows", proto, Q2P_TAP_NAME, TL_REQUIRES_COLUMNS, draw_arrow);
    q2p_compat_conversation_filter("q2p", "Q2P transmission", has_transmission,
                                   filter_of_transmission);
    q2p_compat_conversation_filter("q2p", "Q2P talk", has_talk, filter_of_talk);
}
