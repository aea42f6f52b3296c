/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ten_fields.c - the yardstick of the dissector: what a plugin costs that shows ten fields of a
 * classic TRANSPORT on the same port and remembers nothing. Its layout is typed in on purpose, as
 * one would who writes such a plugin by hand.
 */
#define WS_BUILD_DLL
#include <wireshark.h>

#include <epan/packet.h>
#include <epan/proto.h>

WS_DLL_PUBLIC_DEF const char plugin_version[] = "0";
WS_DLL_PUBLIC_DEF const int plugin_want_major = WIRESHARK_VERSION_MAJOR;
WS_DLL_PUBLIC_DEF const int plugin_want_minor = WIRESHARK_VERSION_MINOR;
WS_DLL_PUBLIC void plugin_register(void);

#define FIELDS 10
static const struct {
    const char *name;
    enum ftenum type;
    int at, len; /* len -1 = the rest */
} fields[FIELDS] = {
    {"network", FT_UINT16, 0, 2}, {"event", FT_UINT16, 2, 2},  {"hash1", FT_UINT32, 4, 4},
    {"hash2", FT_UINT32, 8, 4},   {"hash3", FT_UINT32, 12, 4}, {"hash4", FT_UINT32, 16, 4},
    {"length", FT_UINT32, 20, 4}, {"syn", FT_UINT32, 24, 4},   {"key", FT_BYTES, 4, 16},
    {"body", FT_BYTES, 28, -1},
};
static int hf[FIELDS], proto = -1, ett = -1;

static int dissect(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data _U_)
{
    proto_item *item;
    proto_tree *below;

    if (tvb_captured_length(tvb) < 29)
        return 0;
    col_set_str(pinfo->cinfo, COL_PROTOCOL, "TEN");
    col_add_fstr(pinfo->cinfo, COL_INFO, "SYN %u", tvb_get_letohl(tvb, 24));
    item = proto_tree_add_item(tree, proto, tvb, 0, -1, ENC_NA);
    below = proto_item_add_subtree(item, ett);
    for (int i = 0; i < FIELDS; i++)
        proto_tree_add_item(below, hf[i], tvb, fields[i].at, fields[i].len,
                            fields[i].type == FT_BYTES ? ENC_NA : ENC_LITTLE_ENDIAN);
    return (int)tvb_captured_length(tvb);
}

static void register_proto(void)
{
    static hf_register_info rows[FIELDS];
    static int *etts[] = {&ett};

    proto = proto_register_protocol("Ten fields", "TEN", "ten");
    for (int i = 0; i < FIELDS; i++) {
        bool bytes = fields[i].type == FT_BYTES;
        hf[i] = -1;
        rows[i] = (hf_register_info){&hf[i],
                                     {fields[i].name, g_strdup_printf("ten.%s", fields[i].name),
                                      fields[i].type, bytes ? BASE_NONE : BASE_DEC, NULL, 0x0, NULL,
                                      HFILL}};
    }
    proto_register_field_array(proto, rows, FIELDS);
    proto_register_subtree_array(etts, 1);
}

static void register_handoff(void)
{
    dissector_add_uint("udp.port", 10000, create_dissector_handle(dissect, proto));
}

void plugin_register(void)
{
    static const proto_plugin plugin = {.register_protoinfo = register_proto,
                                        .register_handoff = register_handoff};

    proto_register_plugin(&plugin);
}
