/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-compat.h - one source for Wireshark 4.0, 4.4 and 4.6: each thing that differs between them
 * has one name here. Nothing else in this folder asks for the version. Include it first.
 */
#ifndef Q2P_COMPAT_H
#define Q2P_COMPAT_H

#include <wireshark.h>

#include <epan/packet.h>
#include <wiretap/wtap.h>

#define Q2P_WIRESHARK_SINCE(major, minor)                                                          \
    (WIRESHARK_VERSION_MAJOR > (major) ||                                                          \
     (WIRESHARK_VERSION_MAJOR == (major) && WIRESHARK_VERSION_MINOR >= (minor)))

/* Wireshark's truth values; a heuristic returns one. */
#if Q2P_WIRESHARK_SINCE(4, 3)
typedef bool q2p_compat_bool;
#else
typedef gboolean q2p_compat_bool;
#endif
typedef q2p_compat_bool q2p_heur_bool;

/* Registration that has got longer. The last parameter of filters is theirs. */
#if Q2P_WIRESHARK_SINCE(4, 3)
#define Q2P_COMPAT_USER_DATA , void *user_data _U_
#define q2p_compat_conversation_filter(proto, title, valid, build)                                 \
    register_conversation_filter(proto, title, valid, build, NULL)
#define q2p_compat_follow(proto, tap, packet, index, addresses, port, handler, count)              \
    register_follow_stream(proto, tap, packet, index, addresses, port, handler, count, NULL)
#else
#define Q2P_COMPAT_USER_DATA
#define q2p_compat_conversation_filter(proto, title, valid, build)                                 \
    register_conversation_filter(proto, title, valid, build)
#define q2p_compat_follow(proto, tap, packet, index, addresses, port, handler, count)              \
    register_follow_stream(proto, tap, packet, index, addresses, port, handler)
#endif

/* The interface a packet was captured on; 0 where the file does not say. */
static inline uint32_t q2p_compat_interface(const packet_info *pinfo)
{
    if (pinfo->rec == NULL || pinfo->rec->rec_type != REC_TYPE_PACKET ||
        (pinfo->rec->presence_flags & WTAP_HAS_INTERFACE_ID) == 0)
        return 0;
    return pinfo->rec->rec_header.packet_header.interface_id;
}

#endif
