#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every vector of tests/vectors/wire.json that is not well-formed, then damaged and random bytes."""
import os

from traffic import run

from q2p import ROOT
from vectors import load, unhex

DATAGRAM_MAX = 1400  # what loopback carries in one piece anyway


def script(random, _args):
    vectors = load(os.environ.get("Q2P_VECTORS", ROOT / "tests/vectors/wire.json"))
    known = [unhex(vector["hex"])[:DATAGRAM_MAX] for vector in vectors]
    bad = [data for data, vector in zip(known, vectors) if vector["status"] != "OK"]
    yield from ((random.randrange(8), data) for data in bad)
    while True:
        data = bytearray(random.choice(known))
        for _ in range(random.randrange(4)):
            if data:
                data[random.randrange(len(data))] = random.randrange(256)
        yield random.randrange(8), bytes(data[:random.randrange(len(data) + 1)])


if __name__ == "__main__":
    run(__doc__, script, 2000)
