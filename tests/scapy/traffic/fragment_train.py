#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Transmissions with chosen loss, reordering and duplicates: what becomes whole is delivered once."""
from traffic import run

from live import all_fragments, key_of, start

LENGTH = 10_000


def script(random, args):
    while True:
        data = random.randbytes(LENGTH)
        key = key_of(data, args.dialect, args.to)
        train = [one for one in all_fragments(key, data, args.dialect) if random.random() >= args.loss]
        train += [one for one in train if random.random() < args.duplicates]
        for _ in range(int(args.reorder * len(train))):
            i, k = random.randrange(len(train)), random.randrange(len(train))
            train[i], train[k] = train[k], train[i]
        if args.dialect == "options":
            train.insert(0, start(key, LENGTH))
        source = random.randrange(8)
        yield from ((source, one) for one in train)


if __name__ == "__main__":
    run(__doc__, script, 2000, [("--loss", 0.05, "of fragments"), ("--reorder", 0.2, "swaps"),
                                ("--duplicates", 0.05, "of fragments")])
