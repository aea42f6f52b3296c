/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plugin.c - what Wireshark's loader looks for: which version this was built for, and the two
 * functions it calls. The dissector itself starts in packet-q2p.c.
 */
#define WS_BUILD_DLL
#include "q2p-compat.h"

#include <epan/proto.h>

#if defined(__has_include)
#if __has_include(<wsutil/plugins.h>) /* not in Debian's packages of 4.0 */
#include <wsutil/plugins.h>
#endif
#endif

#include "packet-q2p.h"

WS_DLL_PUBLIC_DEF const char plugin_version[] = Q2P_PLUGIN_VERSION;
WS_DLL_PUBLIC_DEF const int plugin_want_major = WIRESHARK_VERSION_MAJOR;
WS_DLL_PUBLIC_DEF const int plugin_want_minor = WIRESHARK_VERSION_MINOR;

WS_DLL_PUBLIC void plugin_register(void);

void plugin_register(void)
{
    static const proto_plugin q2p = {
        .register_protoinfo = proto_register_q2p,
        .register_handoff = proto_reg_handoff_q2p,
    };

    proto_register_plugin(&q2p);
}

#ifdef WS_PLUGIN_DESC_DISSECTOR
WS_DLL_PUBLIC uint32_t plugin_describe(void);

uint32_t plugin_describe(void)
{
    return WS_PLUGIN_DESC_DISSECTOR;
}
#endif
