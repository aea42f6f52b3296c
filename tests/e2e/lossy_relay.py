#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A bad way between a sender and a receiver on loopback: loses, doubles and delays datagrams in
both directions, by a seed. Prints its port, and at the end how many it lost.

lossy_relay.py TARGET_PORT PERCENT [SEED]"""
import random
import select
import signal
import socket
import sys


def open_socket():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(("127.0.0.1", 0))
    return sock


class Way:
    """One direction. At most one datagram is held back, until two others have passed it."""

    def __init__(self, out, percent, dice):
        self.out, self.percent, self.dice = out, percent, dice
        self.to = self.held = None
        self.passed = self.lost = 0

    def send(self, datagram):
        self.passed += 1
        self.out.sendto(datagram, self.to)

    def take(self, datagram):
        roll = self.dice.uniform(0, 100)
        if roll < self.percent:
            self.lost += 1
        elif roll < self.percent * 1.5 and not self.held:
            self.held = [datagram, 2]
        else:
            self.send(datagram)
            if roll > 100 - self.percent / 2:
                self.send(datagram)
        if self.held:
            self.held[1] -= 1
            if self.held[1] < 0:
                self.send(self.held[0])
                self.held = None


def main():
    target, percent = int(sys.argv[1]), float(sys.argv[2])
    dice = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    outside, inside = open_socket(), open_socket()
    there, back = Way(inside, percent, dice), Way(outside, percent, dice)
    there.to = ("127.0.0.1", target)

    def stop(*_):
        print(f"lost {there.lost} of {there.lost + there.passed} and {back.lost} back", flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    print(f"port {outside.getsockname()[1]}", flush=True)
    while True:
        for sock in select.select([outside, inside], [], [])[0]:
            try:
                datagram, peer = sock.recvfrom(65536)
            except ConnectionError:
                continue
            if sock is outside:
                back.to = peer
                there.take(datagram)
            elif back.to:
                back.take(datagram)


main()
