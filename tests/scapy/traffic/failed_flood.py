#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""TRANSPORT_FAILED for keys that nobody sent, with and without SYNs, full lists of 123 among them."""
from traffic import run

from live import lost, some_key

SYNS_MAX = 123


def script(random, args):
    while True:
        syns = [random.getrandbits(32) for _ in range(random.choice((0, 1, SYNS_MAX)))]
        yield random.randrange(8), lost(some_key(random), syns, args.dialect)


if __name__ == "__main__":
    run(__doc__, script, 2000)
