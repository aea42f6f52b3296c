#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_foreign.py: the heuristic leaves other protocols alone. Captures of what else lives on UDP, and of
noise, are made here and read with the heuristic on, tried before everything else. Not one datagram of a
real protocol may turn Q2P, and of random ones fewer than 1 in 100,000."""
import random
import struct
import sys
import tempfile
from pathlib import Path

from scapy.all import DNS, DNSQR, DNSRR, Ether, PcapWriter, raw

from dissect import rows

RANDOM_COUNT = 100_000
RANDOM_PER_FLOW = 50
HEURISTIC = ["--enable-heuristic", "q2p_udp", "-o", "udp.try_heuristic_first:TRUE"]


def dns(dice):
    for number in range(500):
        name = f"host{number}.example.net"
        ask = DNS(id=dice.randrange(14), rd=1, qd=DNSQR(qname=name))
        yield raw(ask)
        yield raw(DNS(id=ask.id, qr=1, qd=ask.qd, an=DNSRR(rrname=name, rdata="192.0.2.7")))


def quic(dice):
    for number in range(500):
        yield bytes([0xC3, 0, 0, 0, 1, 8]) + dice.randbytes(1194)  # Initial, version 1
        yield bytes([0x40 | dice.randrange(64)]) + dice.randbytes(dice.randrange(20, 1200))
    for number in range(100):  # version negotiation and short keep-alives
        yield bytes([0x80, 0, 0, 0, 0, 0, 0]) + struct.pack("!I", 1)
        yield bytes([0x40]) + number.to_bytes(3, "little")


def rtp(dice, fill):
    """From sequence number 0: bytes 2 and 3 run through everything that could be an event."""
    source = dice.randrange(1 << 32)
    for sequence in range(0x1000):
        header = struct.pack("!BBHII", 0x80, 0, sequence, sequence * 160, source)
        yield header + (dice.randbytes(160) if fill is None else bytes([fill]) * 160)


def rtp_short(dice):
    """Comfort noise and DTMF: 13 to 16 bytes."""
    source = dice.randrange(1 << 32)
    for sequence in range(0x1000):
        header = struct.pack("!BBHII", 0x80, 101, sequence, 0, source)
        yield header + dice.randbytes(1 + sequence % 4)


def coap(dice):
    for message in range(0x1000):
        for token in (b"", dice.randbytes(4)):
            yield struct.pack("!BBH", 0x40 | len(token), 1, message) + token + b"\xb4test"
        yield struct.pack("!BBH", 0x60, 0, message)  # empty acknowledgement: 4 bytes
        yield struct.pack("!BBH", 0x60, 0, message & 0xFF | message << 8 & 0xFF00)


def utp(dice):
    connection = dice.randrange(14)
    for sequence in range(1000):
        header = struct.pack("!BBHIIIHH", 0x01, 0, connection, sequence * 999, 77, 1 << 20,
                             sequence, sequence)
        yield header + dice.randbytes(dice.choice((0, 380, 1382)))
        yield struct.pack("!BBHIIIHH", 0x21, 0, connection, sequence, 77, 0, 0, sequence)


def dht(dice):
    for number in range(1000):
        yield b"d1:ad2:id20:" + dice.randbytes(20) + b"e1:q4:ping1:t2:aa1:y1:qe"
        yield b"d1:rd2:id20:" + dice.randbytes(20) + b"e1:t2:aa1:y1:re"


def keepalives(_dice):
    """Short things that people send to keep a NAT open: all zero, one byte, four bytes counting."""
    for number in range(2000):
        yield bytes(4)
        yield struct.pack("<I", number)
        yield struct.pack("<HH", 0, number % 16)
        yield b"\xff"
        yield bytes(24)
        yield bytes(20)


def game(dice):
    """A little-endian counter and type, as many games have, with a body of any size."""
    for number in range(5000):
        yield struct.pack("<HH", number, dice.randrange(13)) + dice.randbytes(dice.randrange(500))


def zeros(_dice):
    """Silence: headers that count, bodies of nothing."""
    for number in range(0x1000):
        yield struct.pack("<HH", 0x80, number) + bytes(number % 509)


def noise(dice):
    for _ in range(RANDOM_COUNT):
        yield dice.randbytes(dice.randrange(4, 513))


PROTOCOLS = {
    "DNS": dns, "QUIC": quic, "RTP": lambda dice: rtp(dice, None), "CoAP": coap, "uTP": utp,
    "RTP silence 0": lambda dice: rtp(dice, 0), "RTP silence 255": lambda dice: rtp(dice, 255),
    "RTP short": rtp_short, "DHT": dht, "keep-alives": keepalives, "zeros": zeros,
}
NOISE = {"random payloads": noise, "a game": game}


def turned(name, payloads, folder):
    """How many datagrams there are, and the frames that are shown as Q2P."""
    path, count = Path(folder) / "capture.pcap", 0
    with PcapWriter(str(path), linktype=1) as writer:
        frame = raw(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02"))
        for count, payload in enumerate(payloads, 1):
            flow = count // RANDOM_PER_FLOW if name in NOISE else 0
            there = count % 2
            ports = (20001 + flow % 40000, 9999) if there else (9999, 20001 + flow % 40000)
            ends = (b"\xc0\0\2\1", b"\xc0\0\2\2") if there else (b"\xc0\0\2\2", b"\xc0\0\2\1")
            udp = struct.pack("!HHHH", *ports, len(payload) + 8, 0) + payload
            ip = struct.pack("!BBHHHBBH", 0x45, 0, len(udp) + 20, 0, 0, 64, 17, 0) + b"".join(ends)
            writer.write(frame[:12] + b"\x08\x00" + ip + udp)
    fields = ["frame.number", "_ws.col.Info"]
    return count, [row for row in rows(path, fields, 1, [*HEURISTIC, "-Y", "q2p"])]


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (PROTOCOLS | NOISE).items():
            count, shown = turned(name, make(random.Random(seed)), folder)
            print(f"{name}: {len(shown)} of {count}")
            allowed = count // 100_000 if name in NOISE else 0
            if len(shown) > allowed:
                failed = True
                for row in shown[:3]:
                    print(f"    frame {row['frame.number']}: {row['_ws.col.Info']}")
    if failed:
        print(f"again: tests/golden/run_foreign.py {seed}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
