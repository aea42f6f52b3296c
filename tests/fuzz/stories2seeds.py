#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""stories2seeds.py FOLDER: the captures of tests/golden/run_stories.py as inputs for fuzz_dissector, one
file each, named after its content."""
import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))
from run_stories import STORIES  # noqa: E402

NODES = 4  # that the fuzz target tells apart
DATAGRAMS_MAX, GIVEN_MAX, FILLER = 12, 255, b"\xa5"
# once; again, with all statistics and menus; backwards, with menus; at once, with a tree that is seen
LOOKS = 0, 1 | 4 | 8, 1 | 2 | 8, 4 | 16


def seed(steps, look):
    nodes, out = {}, bytes([look])
    for (source, target), data, *_ in steps[:DATAGRAMS_MAX]:
        pair = [nodes.setdefault(node, len(nodes)) % NODES for node in (target, source)]
        given = data.rstrip(FILLER)[:GIVEN_MAX]
        out += bytes([pair[1] | pair[0] << 2]) + len(data).to_bytes(2, "little")
        out += bytes([len(given)]) + given
    return out


def main():
    for number, steps in enumerate(STORIES.values()):
        data = seed(steps, LOOKS[number % len(LOOKS)])
        (Path(sys.argv[1]) / hashlib.sha256(data).hexdigest()[:8]).write_bytes(data)


if __name__ == "__main__":
    main()
