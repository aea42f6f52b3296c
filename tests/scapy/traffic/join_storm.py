#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""JOINs from many addresses, again and again: what a seed has to bear (PROTOCOL.md 5.1, 10)."""
from traffic import SOURCES_MAX, run

from live import bare


def script(random, _args):
    while True:
        yield random.randrange(SOURCES_MAX), bare("JOIN", random.choice((0, 0, 0, 7)))


if __name__ == "__main__":
    run(__doc__, script, 2000)
