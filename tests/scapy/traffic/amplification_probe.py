#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What brings back most for least: foreign networks, JOIN, OPTIONS, first fragments of long
transmissions. The last line says how many bytes came back for those sent (PROTOCOL.md 10)."""
from traffic import run

from live import bare, fragment, some_key, start

LENGTH = 60_000


def script(random, args):
    while True:
        key = some_key(random)
        yield from ((0, data) for data in (
            bare("TOUCH", 9), bare("JOIN"), start(key, LENGTH),
            fragment(key, LENGTH, 0, b"x" * 484, args.dialect)))


if __name__ == "__main__":
    run(__doc__, script, 1000)
