#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""offload.py Q2P: what a recording on the loopback device has of `q2p send`. With --no-offload each
datagram is there as such; without, if the kernel takes them together, the fragments joined."""
import os
import socket
import struct
import subprocess
import sys

LENGTH = 100_000
ETH_P_ALL, HEADERS_LEN, UDP = 3, 14 + 20 + 8, 17


def lengths(tap, port):
    """Of all datagrams to that port."""
    found = []
    while True:
        try:
            frame, origin = tap.recvfrom(1 << 16)
        except BlockingIOError:
            return found
        if origin[2] == socket.PACKET_OUTGOING and frame[23] == UDP \
                and struct.unpack_from("!H", frame, 36)[0] == port:
            found.append(len(frame) - HEADERS_LEN)


def send(*options):
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sink.bind(("127.0.0.1", 0))
    port = sink.getsockname()[1]
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    tap.bind(("lo", 0))
    tap.setblocking(False)
    subprocess.run([sys.argv[1], "send", "-", "--to", f"127.0.0.1:{port}", "--quiet", *options,
                    "--ip", "127.0.0.1", "--quiet-after", "200ms"], input=os.urandom(LENGTH),
                   check=False)  # nobody answers
    return lengths(tap, port)


try:
    alone, together = send("--no-offload"), send()
except PermissionError:
    sys.exit(77)
print(len(alone), "and", len(together), "packets, at most", max(alone), "and", max(together))
if max(alone) > 512 or len(alone) < LENGTH // 484:
    sys.exit("--no-offload: not each datagram is there alone")
if max(together) <= 512:
    sys.exit(77)  # a kernel without UDP_SEGMENT
