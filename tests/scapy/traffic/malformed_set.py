#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every vector of tests/vectors/wire.json that is not well-formed, then damaged and random bytes."""
import os

from traffic import run

from vectors import load, unhex

DATAGRAM_MAX = 1400  # what loopback carries in one piece anyway


def script(random, _args):
    known = [unhex(vector["hex"])[:DATAGRAM_MAX] for vector in load(os.environ["Q2P_VECTORS"])]
    bad = [unhex(vector["hex"])[:DATAGRAM_MAX] for vector in load(os.environ["Q2P_VECTORS"])
           if vector["status"] != "OK"]
    yield from ((random.randrange(8), data) for data in bad)
    while True:
        data = bytearray(random.choice(known))
        for _ in range(random.randrange(4)):
            if data:
                data[random.randrange(len(data))] = random.randrange(256)
        yield random.randrange(8), bytes(data[:random.randrange(len(data) + 1)])


if __name__ == "__main__":
    run(__doc__, script, 2000)
