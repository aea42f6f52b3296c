#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_truth.py CAPTURE...: what the plugin finds in a recording, compared with pcaps/recorded/truth.json,
which comes from the log of the recorded program itself: every transmission with its SHA-256, every
missing SYN, every connected pair; those are also the pairs whose hole punches reached CONNECTED. With
--heuristic, the recording is moved to a port that nobody knows: what the heuristic makes of it has to
come to the same."""
import hashlib
import json
import sys
import tempfile
from pathlib import Path

from dissect import PCAPS, endpoint, rows

FIELDS = ["ip.src", "ipv6.src", "udp.srcport", "ip.dst", "ipv6.dst", "udp.dstport", "icmp.type",
          "q2p.network_id", "q2p.event.name", "q2p.hash", "q2p.transmission", "q2p.complete",
          "q2p.missing[]", "q2p.missing.count", "q2p.reassembled.data", "q2p.refused.in",
          "q2p.expert.unread", "q2p.verdict"]
PUNCH = ["q2p.punch.newcomer", "q2p.punch.known", "q2p.punch.connected.in"]
KNOWN_PORT, UNKNOWN_PORT = 10000, 40000
TO_THE_RECEIVER = ("OPTIONS", "TRANSPORT")


def moved(capture, folder):
    """A copy of the capture with another port in place of the default one."""
    from scapy.all import UDP, rdpcap, wrpcap  # takes a second, so only where it is needed

    packets = rdpcap(str(capture))
    for packet in packets:
        if UDP in packet:
            for side in ("sport", "dport"):
                if getattr(packet[UDP], side) == KNOWN_PORT:
                    setattr(packet[UDP], side, UNKNOWN_PORT)
            del packet[UDP].chksum
    copy = Path(folder) / capture.name
    wrpcap(str(copy), packets)
    return copy


def read(capture, args):
    """(transmissions, connected pairs, punched pairs) as the plugin shows them in two passes."""
    shown = list(rows(capture, FIELDS + PUNCH, 2, args))
    return *gather(shown), punched(shown)


def punched(shown):
    """Pairs whose hole punch has come to its end; a JOIN is about several of them."""
    done = {tuple(sorted((row["q2p.punch.newcomer"], row["q2p.punch.known"]))) for row in shown
            if row["q2p.punch.connected.in"] and row["q2p.event.name"] != "JOIN"}
    return sorted(map(list, done))


def gather(shown):
    transmissions, asked, pairs = {}, set(), []
    for row in shown:
        if row["icmp.type"] or not row["q2p.event.name"]:
            continue
        ports = [row[port].replace(str(UNKNOWN_PORT), str(KNOWN_PORT))
                 for port in ("udp.srcport", "udp.dstport")]
        source = endpoint(row["ip.src"] or row["ipv6.src"], ports[0])
        target = endpoint(row["ip.dst"] or row["ipv6.dst"], ports[1])
        network, event = row["q2p.network_id"], row["q2p.event.name"]
        if event == "CONNECT":
            asked.add((source, target, network))
        elif event == "CONNECTED" and (target, source, network) in asked:
            if (pair := sorted((source, target))) not in pairs:  # ours ask again, to keep NATs open
                pairs.append(pair)
        if not row["q2p.transmission"]:
            continue
        found = transmissions.setdefault(row["q2p.transmission"], {"missing": []})
        if event not in TO_THE_RECEIVER:
            source, target = target, source
        found.update(src=source, dst=target, key=row["q2p.hash"],
                     complete=row["q2p.complete"] == "1", verdict=row["q2p.verdict"])
        found["missing"] += map(int, row["q2p.missing"])
        found["left"] = int(row["q2p.missing.count"] or 0)
        if row["q2p.reassembled.data"]:
            data = bytes.fromhex(row["q2p.reassembled.data"])
            found["sha256"] = hashlib.sha256(data).hexdigest()
    return list(transmissions.values()), sorted(pairs)


def compare(true, found):
    """Complaints about one transmission of the truth; found = the sendings with its key."""
    if not found:
        return ["is not found"] if true["on_wire"] else []
    complaints = []
    if len(found) != true["times_sent"]:
        complaints.append(f"was sent {true['times_sent']} times, found {len(found)} times")
    for one in found:
        if one["complete"] != true["complete"]:
            complaints.append(f"complete is {true['complete']}, found {one['complete']}")
        if true["complete"] and one.get("sha256") != true["payload_sha256"]:
            complaints.append(f"SHA-256 is {true['payload_sha256']}, found {one.get('sha256')}")
        missing = [] if true["complete"] else true.get("missing_at_receiver")
        if missing is not None and sorted(one["missing"]) != sorted(missing):
            complaints.append(f"missing {missing}, found {one['missing']}")
        if missing is not None and one["left"] != len(missing):
            complaints.append(f"{len(missing)} missing, counted {one['left']}")
    return complaints


def check(capture, truth, args):
    transmissions, pairs, punches = read(capture, args)
    complaints = []
    expected = sorted(sorted(pair) for pair in truth["peers_connected"])
    if pairs != expected:
        complaints.append(f"connected pairs are {expected}, found {pairs}")
    if punches != expected and not args:  # what messages name is not moved to another port
        complaints.append(f"connected pairs are {expected}, punched {punches}")
    for true in truth["transmissions"]:
        name = tuple(true[part] for part in ("src", "dst", "key"))
        mine = [one for one in transmissions if (one["src"], one["dst"], one["key"]) == name]
        complaints += [" ".join(name) + ": " + text for text in compare(true, mine)]
        transmissions = [one for one in transmissions if one not in mine]
    if "malformed" not in truth:  # there, things look like the start of one that are none
        complaints += [f"{one['src']} {one['dst']} {one['key']}: nobody sent this"
                       for one in transmissions]
    return complaints


def main():
    truths = json.loads((PCAPS / "recorded/truth.json").read_text())["captures"]
    by_file = {truth["file"]: truth for truth in truths}
    failed = False

    heuristic = "--heuristic" in sys.argv
    args = ["--enable-heuristic", "q2p_udp"] if heuristic else []

    for capture in (Path(arg) for arg in sys.argv[1:] if arg != "--heuristic"):
        with tempfile.TemporaryDirectory() as folder:
            looked_at = moved(capture, folder) if heuristic else capture
            complaints = check(looked_at, by_file[capture.name], args)
        for complaint in complaints:
            failed = True
            print(f"{capture.name}: {complaint}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
