#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every step of a hole punch, in order and out of it, from peers that nobody named (PROTOCOL.md 5.2)."""
from traffic import run

from live import address, bare

PEERS = 8


def script(random, _args):
    steps = ["JOIN", "TOUCHREQUEST", "TOUCH", "TOUCHED", "CONNECTREQUEST", "CONNECT", "CONNECTED"]
    while True:
        peer, order = random.randrange(PEERS), list(steps)
        if random.random() < 0.5:
            random.shuffle(order)
        for step in order:
            named = f"127.0.0.1:{random.randrange(1, 65536)}"
            yield peer, address(step, named) if step in ("TOUCHREQUEST", "TOUCHED",
                                                         "CONNECTREQUEST") else bare(step)


if __name__ == "__main__":
    run(__doc__, script, 2000)
