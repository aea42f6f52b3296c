# SPDX-License-Identifier: GPL-2.0-or-later
"""What the traffic scripts share: arguments, loopback only, bounded, the same seed sends the same bytes,
and a capture of what was sent. A script is a generator of (number of the sending socket, datagram)."""
import argparse
import ipaddress
import random
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

COUNT_MAX = 100_000
SOURCES_MAX = 64
BREATH = 64      # datagrams after which the receiver may catch up
PAUSE = 0.002    # seconds
FIRST_PORT = 40000  # in the capture, where sockets have the numbers that chance gave them


def destination(text):
    host, _, port = text.rpartition(":")
    if not ipaddress.ip_address(host.strip("[]")).is_loopback:
        raise argparse.ArgumentTypeError("loopback only: this traffic is not for other people's machines")
    return host.strip("[]"), int(port)


def count(text):
    if not 1 <= int(text) <= COUNT_MAX:
        raise argparse.ArgumentTypeError(f"1 to {COUNT_MAX}")
    return int(text)


def arguments(about, datagrams, more):
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--to", type=destination, required=True, metavar="127.0.0.1:PORT")
    parser.add_argument("--count", type=count, default=datagrams, help=f"default {datagrams}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dialect", choices=("classic", "options"), default="classic")
    parser.add_argument("--pcap", help="write what was sent")
    for name, default, about_it in more:
        parser.add_argument(name, type=type(default), default=default, help=about_it)
    return parser.parse_args()


def write_capture(path, sent, to):
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether
    from scapy.utils import PcapNgWriter

    with PcapNgWriter(path) as writer:
        for number, (source, data) in enumerate(sent):
            frame = Ether(src="02:00:00:00:00:02", dst="02:00:00:00:00:01") / \
                IP(src="127.0.0.1", dst=to[0]) / UDP(sport=FIRST_PORT + source, dport=to[1]) / data
            frame = Ether(bytes(frame))
            frame.time = 1_000_000_000 + number / 1000
            writer.write(frame)


def run(about, script, datagrams, more=()):
    """Sends what the script makes, and prints how much went and how much came back."""
    args = arguments(about, datagrams, more)
    sockets, sent, back = {}, [], 0
    for source, data in script(random.Random(args.seed), args):
        if source not in sockets:
            sockets[source] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sockets[source].bind(("127.0.0.1", 0))
            sockets[source].setblocking(False)
        sockets[source].sendto(data, args.to)
        sent.append((source, data))
        if len(sent) % BREATH == 0:
            time.sleep(PAUSE)
        if len(sent) == args.count:
            break
    time.sleep(0.3)  # for what comes back
    for each in sockets.values():
        try:
            while True:
                back += len(each.recv(65536))
        except BlockingIOError:
            each.close()
    if args.pcap:
        write_capture(args.pcap, sent, args.to)
    print(f"sent {len(sent)} datagrams, {sum(len(data) for _, data in sent)} bytes; "
          f"{back} bytes came back")
