/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-follow.c - the data of transmissions, for people and for programs: "follow" shows the bodies
 * of the fragments in their order, each once and however they came, also if some are missing;
 * "export objects" has one file for each complete transmission.
 */
#include "q2p-networks.h"
#include "q2p-taps.h"

#include <epan/export_object.h>
#include <epan/follow.h>
#include <epan/to_str.h>

/*
 * A record of Wireshark's, which frees it, with its place behind it. Wireshark wants a list, kept
 * from the last piece to the first; so that any order of arrival finds its place in a few steps,
 * the pieces are a treap as well: a search tree, and by `rank`, which is as good as drawn, a heap.
 * Its root is known to the head of the list.
 */
struct piece {
    follow_record_t record;
    uint32_t transmission;
    uint32_t syn;
    uint32_t rank;
    struct piece *below[2]; /* that go before it, behind it */
    struct piece *root;     /* of all, in the head of the list */
    GList *link;            /* its own */
};

static int compare(const struct piece *one, const struct piece *other)
{
    if (one->transmission != other->transmission)
        return one->transmission < other->transmission ? -1 : 1;
    return one->syn < other->syn ? -1 : one->syn > other->syn;
}

/* Splits a tree around a piece that is not in it, into what goes before it and behind it. */
static void split(struct piece *tree, struct piece *piece)
{
    struct piece **ends[2] = {&piece->below[0], &piece->below[1]};

    while (tree != NULL) {
        bool behind = compare(tree, piece) > 0;
        *ends[behind] = tree;
        ends[behind] = &tree->below[!behind];
        tree = tree->below[!behind];
    }
    *ends[0] = *ends[1] = NULL;
}

/* The nearest pieces that go before it, behind it. False if it is there itself. */
static bool find_neighbours(struct piece *tree, const struct piece *piece, struct piece *near[2])
{
    near[0] = near[1] = NULL;
    while (tree != NULL) {
        int order = compare(piece, tree);
        if (order == 0)
            return false;
        near[order < 0] = tree;
        tree = tree->below[order > 0];
    }
    return true;
}

/* Adds a piece to the list and to the tree; false if it is there. */
static bool insert(GList **list, struct piece *piece)
{
    const uint32_t place[] = {piece->transmission, piece->syn};
    struct piece *root = *list == NULL ? NULL : ((struct piece *)(*list)->data)->root;
    struct piece **at = &root, *near[2];

    if (!find_neighbours(root, piece, near))
        return false;
    if (near[0] != NULL) { /* the list is from the last to the first */
        *list = g_list_insert_before(*list, near[0]->link, piece);
        piece->link = near[0]->link->prev;
    } else if (near[1] != NULL) {
        piece->link = g_list_append(near[1]->link, piece)->next;
    } else {
        piece->link = *list = g_list_append(NULL, piece);
    }
    piece->rank = wmem_strong_hash((const uint8_t *)place, sizeof place);
    while (*at != NULL && (*at)->rank >= piece->rank)
        at = &(*at)->below[compare(piece, *at) > 0];
    split(*at, piece);
    *at = piece;
    ((struct piece *)(*list)->data)->root = root;
    return true;
}

static bool carries(const struct q2p_tap *tap)
{
    enum q2p_role role = q2p_tap_role(tap);
    struct q2p_span body = tap->packet->body_at;

    return tap->transmission != NULL && body.len > 0 &&
           (role == Q2P_ROLE_PIECE || role == Q2P_ROLE_RESENT || role == Q2P_ROLE_STRAY) &&
           tvb_bytes_exist(tap->tvb, (int)body.at, (int)body.len);
}

static tap_packet_status follow(void *tapdata, packet_info *pinfo, epan_dissect_t *edt _U_,
                                const void *data, tap_flags_t flags _U_)
{
    follow_info_t *info = (follow_info_t *)tapdata;
    const struct q2p_tap *tap = (const struct q2p_tap *)data;
    struct q2p_span body = tap->packet->body_at;

    if (!carries(tap))
        return TAP_PACKET_DONT_REDRAW;
    if (info->client_port == 0) {
        info->client_port = pinfo->srcport;
        info->server_port = pinfo->destport;
        copy_address(&info->client_ip, &pinfo->src);
        copy_address(&info->server_ip, &pinfo->dst);
    }

    bool answers =
        info->client_port != pinfo->srcport || !addresses_equal(&info->client_ip, &pinfo->src);
    struct piece *piece = g_new0(struct piece, 1);

    piece->transmission = tap->transmission->index;
    piece->syn = tap->packet->syn;
    if (!insert(&info->payload, piece)) {
        g_free(piece);
        return TAP_PACKET_DONT_REDRAW;
    }
    piece->record.is_server = answers;
    piece->record.packet_num = pinfo->num;
    piece->record.abs_ts = pinfo->abs_ts;
    piece->record.data = g_byte_array_append(
        g_byte_array_new(), tvb_get_ptr(tap->tvb, (int)body.at, (int)body.len), body.len);
    info->bytes_written[answers] += body.len;
    return TAP_PACKET_DONT_REDRAW;
}

static char *filter_of_index(unsigned stream, unsigned sub_stream _U_)
{
    return g_strdup_printf("q2p.transmission == %u", stream);
}

static char *filter_of_packet(epan_dissect_t *edt _U_, packet_info *pinfo, unsigned *stream,
                              unsigned *sub_stream _U_)
{
    const struct q2p_visit *visit = q2p_state_visit(pinfo);

    if (visit == NULL || !visit->seen)
        return NULL;

    const struct q2p_transmission *transmission = q2p_transmission_shown(visit);
    if (transmission == NULL)
        return NULL;
    *stream = transmission->index;
    return filter_of_index(*stream, 0);
}

static char *filter_of_addresses(address *one, address *other, int port, int other_port)
{
    const char *ip = one->type == AT_IPv6 ? "ipv6" : "ip";
    char from[WS_INET6_ADDRSTRLEN], to[WS_INET6_ADDRSTRLEN];

    address_to_str_buf(one, from, sizeof from);
    address_to_str_buf(other, to, sizeof to);
    return g_strdup_printf(
        "q2p && ((%s.src == %s && udp.srcport == %d && %s.dst == %s && udp.dstport == %d) || "
        "(%s.src == %s && udp.srcport == %d && %s.dst == %s && udp.dstport == %d))",
        ip, from, port, ip, to, other_port, ip, to, other_port, ip, from, port);
}

static char *text_of_port(wmem_allocator_t *pool, unsigned port)
{
    return wmem_strdup_printf(pool, "%u", port);
}

static tap_packet_status export(void *tapdata, packet_info *pinfo, epan_dissect_t *edt _U_,
                                const void *data, tap_flags_t flags _U_)
{
    export_object_list_t *list = (export_object_list_t *)tapdata;
    const struct q2p_tap *tap = (const struct q2p_tap *)data;
    const struct q2p_transmission *transmission = tap->transmission;
    const uint8_t *whole = NULL;

    if (transmission != NULL && transmission->complete_frame == pinfo->num)
        whole = q2p_transmission_data(transmission);
    if (whole == NULL)
        return TAP_PACKET_DONT_REDRAW;

    export_object_entry_t *entry = g_new0(export_object_entry_t, 1);
    char *key = bytes_to_str(pinfo->pool, transmission->hash.bytes, Q2P_HASH_LEN);

    entry->pkt_num = pinfo->num;
    entry->hostname = g_strdup(q2p_tap_endpoint(pinfo->pool, &pinfo->src, pinfo->srcport));
    entry->content_type =
        g_strdup_printf("Q2P network %s", q2p_network_text(pinfo->pool, transmission->network_id));
    entry->filename = g_strdup_printf("q2p-%u-%s.bin", transmission->index, key);
    entry->payload_len = transmission->length;
    entry->payload_data = (uint8_t *)g_memdup2(whole, transmission->length);
    list->add_entry(list->gui_data, entry);
    return TAP_PACKET_REDRAW;
}

#if Q2P_WIRESHARK_SINCE(4, 3)
static uint32_t count_streams(void)
{
    uint32_t count = 0;

    while (q2p_transmission_at(count) != NULL)
        count++;
    return count;
}
#endif

int q2p_follow_register(int proto)
{
    q2p_compat_follow(proto, Q2P_TAP_NAME, filter_of_packet, filter_of_index, filter_of_addresses,
                      text_of_port, follow, count_streams);
    return register_export_object(proto, export, NULL);
}
