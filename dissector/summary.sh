#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# summary.sh CAPTURE - what TShark with the plugin finds in a capture, as two short tables: who is
# connected with whom, and each transmission, at each place where it was captured.
set -eu

[ $# -eq 1 ] || { echo "usage: summary.sh CAPTURE" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)

"$here/tshark.sh" -n -2 -r "$1" -Y 'q2p && !icmp && !icmpv6' -T fields -E separator=\| \
    -E occurrence=a -E aggregator=, -e frame.interface_name -e ip.src -e ipv6.src -e udp.srcport \
    -e ip.dst -e ipv6.dst -e udp.dstport -e q2p.event.name -e q2p.network_id -e q2p.dialect \
    -e q2p.transmission -e q2p.length -e q2p.fragments -e q2p.complete -e q2p.missing.count \
    -e q2p.lost.count -e q2p.duplicate.of |
    LC_ALL=C awk -F '|' '
    function node(v4, v6, port) { return v4 != "" ? v4 ":" port : "[" v6 "]:" port }
    {
        place = $1 == "" ? "-" : $1
        from = node($2, $3, $4)
        to = node($5, $6, $7)
        frames++
        if ($8 == "CONNECT")
            asked[place, from, to, $9] = 1
        both = from < to ? from " and " to : to " and " from
        if ($8 == "CONNECTED" && (place, to, from, $9) in asked && !((place, both) in known)) {
            known[place, both] = 1
            pair[++pairs] = sprintf("  %-12s %s", place, both)
        }
        if ($11 == "")
            next
        if (!($11 in index_of)) {
            index_of[$11] = ++count
            where[count] = place
        }
        i = index_of[$11]
        if ($8 == "TRANSPORT" || $8 == "OPTIONS") {
            way[i] = from " > " to
            dialect[i] = $10
            if ($12 > 0)
                bytes[i] = $12
        }
        fragments[i] = $13
        result[i] = $14 == "" ? "nothing to carry" : $14 == "1" || $14 == "True" ? "complete" : \
            $15 " missing"
        lost[i] += $16
        again[i] += $17 != ""
    }
    END {
        printf "%d Q2P datagrams in this capture\n", frames
        print "connected:" (pairs ? "" : " nobody")
        for (i = 1; i <= pairs; i++)
            print pair[i]
        print "transmissions:" (count ? "" : " none")
        if (count)
            printf "  %-12s %-45s %-8s %10s %9s %9s %6s  %s\n", "captured at", "from > to", \
                "dialect", "bytes", "fragments", "asked for", "twice", "result"
        for (i = 1; i <= count; i++)
            printf "  %-12s %-45s %-8s %10d %9d %9d %6d  %s\n", where[i], way[i], dialect[i], \
                bytes[i], fragments[i], lost[i], again[i], result[i]
    }'
