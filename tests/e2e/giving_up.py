#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""giving_up.py TIMES: a classic peer that gives up a transmission once all of it has come, as an
original that lacks a fragment does when it cannot ask any more; TIMES times, then it takes it."""
import socket
import struct
import sys

times = int(sys.argv[1])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 0))
print("port", sock.getsockname()[1], flush=True)
came, copies = set(), 0
while True:
    data, sender = sock.recvfrom(512)
    _, event, length, syn = struct.unpack_from("<HH16xII", data)
    if event != 8:
        continue
    copies += syn in came
    came.add(syn)
    if len(came) * 484 < length:
        continue
    print("came with", copies, "copies", flush=True)
    if times == 0:
        continue
    times, copies = times - 1, 0
    came.clear()
    sock.sendto(data[:2] + struct.pack("<H", 9) + data[4:20], sender)
