/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-payload.c - who reads what a network carries: what Decode As or another plugin has said of
 * it (dissector table "q2p.network"), else what the table of networks says. A payload is read in
 * the frame that completes it and nowhere else.
 */
#include "q2p-payload.h"

#include <epan/decode_as.h>
#include <epan/exceptions.h>
#include <epan/show_exception.h>

#include "q2p-networks.h"

#define TABLE "q2p.network"

static dissector_table_t payloads;

static dissector_handle_t reader_of(const struct q2p_transmission *transmission)
{
    uint16_t network_id = transmission->network_id;
    dissector_handle_t reader = dissector_get_uint_handle(payloads, network_id);

    return reader != NULL ? reader : q2p_network_dissector(network_id);
}

tvbuff_t *q2p_payload_whole(const struct q2p_view *view)
{
    const struct q2p_transmission *transmission = view->transmission;

    if (transmission == NULL || transmission->complete_frame != view->pinfo->num ||
        (!view->wanted && reader_of(transmission) == NULL))
        return NULL;

    const uint8_t *data = q2p_transmission_data(transmission);
    if (data == NULL)
        return NULL;

    tvbuff_t *whole =
        tvb_new_child_real_data(view->tvb, data, transmission->length, (int)transmission->length);
    add_new_data_source(view->pinfo, whole, "Reassembled Q2P");
    return whole;
}

/* What the packet is known by. A payload may be packets, too, and is not to change that. */
struct identity {
    address src, dst;
    uint32_t srcport, destport;
    port_type ptype;
    uint8_t layer;
    const char *protocol;
};

static struct identity identity_of(const packet_info *pinfo)
{
    return (struct identity){.src = pinfo->src,
                             .dst = pinfo->dst,
                             .srcport = pinfo->srcport,
                             .destport = pinfo->destport,
                             .ptype = pinfo->ptype,
                             .layer = pinfo->curr_layer_num,
                             .protocol = pinfo->current_proto};
}

static void restore(packet_info *pinfo, const struct identity *was)
{
    copy_address_shallow(&pinfo->src, &was->src);
    copy_address_shallow(&pinfo->dst, &was->dst);
    pinfo->srcport = was->srcport;
    pinfo->destport = was->destport;
    pinfo->ptype = was->ptype;
    pinfo->curr_layer_num = was->layer;
    pinfo->current_proto = was->protocol;
}

/* Empties a column for the payload's dissector; gives back what it had. */
static const char *lend(packet_info *pinfo, int column)
{
    const char *ours = col_get_text(pinfo->cinfo, column);

    ours = wmem_strdup(pinfo->pool, ours == NULL ? "" : ours);
    col_clear(pinfo->cinfo, column);
    return ours;
}

/* What it has written there follows what we had. */
static void join(packet_info *pinfo, int column, const char *ours, const char *between)
{
    const char *theirs = col_get_text(pinfo->cinfo, column);
    bool both = theirs != NULL && *theirs != '\0';

    theirs = wmem_strdup(pinfo->pool, both ? theirs : "");
    col_add_fstr(pinfo->cinfo, column, "%s%s%s", ours, both ? between : "", theirs);
}

/* What goes wrong in there is shown, and goes no further. By itself, as it has a setjmp. */
static G_NO_INLINE void call_reader(dissector_handle_t reader, const struct q2p_view *view,
                                    proto_tree *tree)
{
    TRY
    {
        call_dissector_only(reader, view->whole, view->pinfo, tree, NULL);
    }
    CATCH_BOUNDS_AND_DISSECTOR_ERRORS
    {
        show_exception(view->whole, view->pinfo, tree, EXCEPT_CODE, GET_MESSAGE);
    }
    ENDTRY;
}

void q2p_payload_dissect(const struct q2p_view *view, proto_tree *tree)
{
    packet_info *pinfo = view->pinfo;
    dissector_handle_t reader = view->whole != NULL ? reader_of(view->transmission) : NULL;
    const struct identity was = identity_of(pinfo);

    if (reader == NULL)
        return;

    const char *protocol = lend(pinfo, COL_PROTOCOL), *info = lend(pinfo, COL_INFO);
    call_reader(reader, view, tree);
    restore(pinfo, &was);
    join(pinfo, COL_PROTOCOL, protocol, "/");
    join(pinfo, COL_INFO, info, " | ");
}

/* The network that the dialog of Decode As speaks of: that of the frame's transmission. */
static void *network_here(packet_info *pinfo)
{
    const struct q2p_visit *visit = q2p_state_visit(pinfo);
    const struct q2p_transmission *transmission =
        visit != NULL && visit->seen ? q2p_transmission_shown(visit) : NULL;

    return GUINT_TO_POINTER(transmission != NULL ? transmission->network_id : 0);
}

static void ask(packet_info *pinfo, char *text)
{
    snprintf(text, MAX_DECODE_AS_PROMPT_LEN, "Data of Q2P network %u as",
             GPOINTER_TO_UINT(network_here(pinfo)));
}

void q2p_payload_register(int proto)
{
    static build_valid_func values[] = {network_here};
    static decode_as_value_t question = {ask, array_length(values), values};
    static decode_as_t decode_as = {.name = "q2p",
                                    .table_name = TABLE,
                                    .num_items = 1,
                                    .values = &question,
                                    .populate_list = decode_as_default_populate_list,
                                    .reset_value = decode_as_default_reset,
                                    .change_value = decode_as_default_change};

    payloads = register_dissector_table(TABLE, "Q2P network", proto, FT_UINT16, BASE_DEC);
    dissector_table_allow_decode_as(payloads);
    register_decode_as(&decode_as);
}

void q2p_payload_handoff(void)
{
    /* What programs send each other. The table of networks takes any dissector, this one too. */
    static const char *const formats[] = {"json",     "xml",  "cbor",  "msgpack",
                                          "protobuf", "http", "media", "data-text-lines"};

    for (size_t i = 0; i < array_length(formats); i++) {
        dissector_handle_t reader = find_dissector(formats[i]);

        if (reader != NULL)
            dissector_add_for_decode_as(TABLE, reader);
    }
}
