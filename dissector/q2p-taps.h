/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-taps.h - what Wireshark makes of the tap (q2p-tap.h): tables, trees, streams, files, graphs.
 * Each of these registers what its file has; none of them keeps anything of a capture.
 */
#ifndef Q2P_TAPS_H
#define Q2P_TAPS_H

#include "q2p-compat.h"

#include "q2p-tap.h"

/* q2p,tree  q2p,transmissions  q2p,punches  q2p,srt */
void q2p_stats_register(int proto);

/* follow,q2p and --export-objects q2p. Returns the tap of the latter, which wants the same. */
int q2p_follow_register(int proto);

/* conv,q2p  endpoints,q2p  flow,q2p and the conversation filters. */
void q2p_flow_register(int proto);

/* What the datagram is to the transmission that is shown for it. */
static inline enum q2p_role q2p_tap_role(const struct q2p_tap *tap)
{
    bool piece = tap->role == Q2P_ROLE_PIECE || tap->role == Q2P_ROLE_RESENT;

    /* It seemed to begin a sending of its own. */
    if (piece && tap->visit->transmission != tap->transmission)
        return Q2P_ROLE_DUPLICATE;
    return tap->role;
}

#endif
