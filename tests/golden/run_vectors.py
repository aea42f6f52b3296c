#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_vectors.py: every wire vector of tests/vectors/wire.json, seen through TShark: each field has its
value and its place, and what is wrong with a datagram is said by the expert item of that name."""
import json
import struct
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

from dissect import ROOT, endpoint, tshark

HEADERS_LEN = 14 + 20 + 8  # Ethernet, IPv4, UDP
FIELDS = {"network_id": "q2p.network_id", "event": "q2p.event", "address": "q2p.address",
          "reason": "q2p.reason", "hash": "q2p.hash", "length": "q2p.length", "syn": "q2p.syn",
          "state": "q2p.state", "token": "q2p.token", "received": "q2p.received",
          "body": "q2p.body", "trailing": "q2p.trailing"}
VALUES = {"network_id": "q2p.network_id", "number": "q2p.event", "event": "q2p.event.name",
          "reason": "q2p.reason", "hash": "q2p.hash", "length": "q2p.length", "syn": "q2p.syn",
          "state": "q2p.state", "token": "q2p.token", "received": "q2p.received",
          "lost_count": "q2p.lost.count"}


def unhex(text):
    data = b""
    for word in text.split():
        digits, _, times = word.partition("*")
        data += bytes.fromhex(digits) * int(times or 1)
    return data


def write_capture(path, vectors):
    """One frame per vector, each between two nodes of its own, so that none knows of another."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for number, vector in enumerate(vectors, 1):
            data = unhex(vector["hex"])
            total = vector.get("total", len(data))
            udp = struct.pack("!HHHH", 20000, 10000, total + 8, 0)
            ip = struct.pack("!BBHHHBBHHHHH", 0x45, 0, total + 28, 0, 0, 64, 17, 0,
                             0x0A01, number, 0x0A02, number)
            frame = b"\x02" * 12 + b"\x08\0" + ip + udp + data
            file.write(struct.pack("<IIII", number, 0, len(frame), HEADERS_LEN + total) + frame)


def dissected(path, dialect):
    """For each frame: list of (field, first byte in the datagram, length, value)."""
    text = tshark(["-n", "-r", str(path), "-T", "pdml", "-o", f"q2p.dialect:{dialect}"])
    for packet in xml.fromstring(text).iter("packet"):
        found = []
        for proto in packet.iter("proto"):
            if proto.get("name") == "q2p":
                found += [(field.get("name"), int(field.get("pos")) - HEADERS_LEN,
                           int(field.get("size")), field.get("show"))
                          for field in proto.iter("field")]
        yield found


def differences(vector, found):
    values, places = {}, {}
    for name, at, size, show in found:
        values.setdefault(name, []).append(show)
        places.setdefault(name, [at, size])
    for part, [at, size] in vector["spans"].items():
        if part in FIELDS and places.get(FIELDS[part]) != [at, size]:
            yield f"{part} at {places.get(FIELDS[part])}, not {[at, size]}"
    for part, name in FIELDS.items():
        if part not in vector["spans"] and name in values:
            yield f"{part} is shown, but is not there"
    for part, name in VALUES.items():
        readable = part in vector and (part in vector["spans"] or part not in FIELDS)
        got = values.get(name, ["nothing"])[0].replace(":", "" if part == "hash" else ":")
        if readable and got != str(vector[part]):
            yield f"{part} is {got}, not {vector[part]}"
    if "address" in vector:
        ip = values.get("q2p.address.ip", values.get("q2p.address.ipv6", ["nothing"]))[0]
        address = endpoint(ip, values.get("q2p.address.port", ["nothing"])[0])
        if address != vector["address"]:
            yield f"address is {address}, not {vector['address']}"
    lost = [int(text) for text in values.get("q2p.lost", [])]
    if len(lost) != vector.get("lost_count", 0):
        yield f"{len(lost)} lost, not {vector.get('lost_count', 0)}"
    elif lost != vector.get("lost", lost):  # long lists are not in the vector
        yield f"lost is {lost}, not {vector['lost']}"
    errors = [name for name in values if name.startswith("q2p.err.")]
    status = vector["status"].lower().replace("err_", "q2p.err.")
    if errors != ([] if status == "ok" else [status]):
        yield f"status is {errors}, not {status}"


def main():
    vectors = json.loads((ROOT / "tests/vectors/wire.json").read_text())["vectors"]
    failed = 0
    for dialect in ("early", "classic", "options"):
        mine = [vector for vector in vectors if vector["dialect"] == dialect and vector["hex"]]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "vectors.pcap"
            write_capture(path, mine)
            packets = list(dissected(path, dialect))
        for vector, found in zip(mine, packets, strict=True):
            for text in differences(vector, found):
                failed += 1
                print(f"{dialect} {vector['name']}: {text}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
