#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Makes pcaps/crafted/malformed-<dialect>.pcapng: every wire vector of that dialect that is not
well-formed, a source port of its own each, its name as packet comment. Same vectors, same bytes.

    craft.py tests/vectors/wire.json pcaps/crafted
"""
import sys

from q2p import WIRE
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgWriter
from vectors import load, unhex

ETHERNET_MAX = 1472  # UDP payload in one frame


def frames(vectors, dialect):
    wrong = [vector for vector in vectors if vector["dialect"] == dialect
             and vector["status"] not in ("OK", "ERR_CUT")]
    for number, vector in enumerate(wrong):
        data = unhex(vector["hex"])
        if len(data) > ETHERNET_MAX:
            continue
        frame = Ether(src="02:00:00:00:00:02", dst="02:00:00:00:00:01") / \
            IP(src="192.0.2.2", dst="192.0.2.1", id=number) / \
            UDP(sport=40000 + number, dport=WIRE["port"]) / data
        frame = Ether(bytes(frame))
        frame.time = 1_000_000_000 + number / 1000
        frame.comment = f"{vector['name']}: {vector['status']}".encode()
        yield frame


def main():
    vectors = load(sys.argv[1])
    for dialect in ("classic", "options"):
        path = f"{sys.argv[2]}/malformed-{dialect}.pcapng"
        with PcapNgWriter(path) as writer:
            found = list(frames(vectors, dialect))
            writer.write(found)
        print(f"{path}: {len(found)} packets")


if __name__ == "__main__":
    main()
