#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_fields.py [--accept]: dissector/FIELDS.md is what the plugin registers; --accept writes it anew."""
import sys

from dissect import ROOT, tshark

PAGE = ROOT / "dissector/FIELDS.md"
HEAD = """# Fields of the plugin

Made from `tshark -G fields` by `tests/golden/run_fields.py --accept`; a test compares the two.

| filter | type | what it says |
|---|---|---|
"""
EXPERT = """
## Expert items

| filter | what it says |
|---|---|
"""


def page():
    lines = [line.split("\t") for line in tshark(["-G", "fields"]).splitlines()]
    ours = sorted((line for line in lines if line[0] == "F" and line[2].startswith("q2p.")),
                  key=lambda line: line[2])
    expert = ("q2p.err.", "q2p.expert.")
    fields = {line[2]: f"| `{line[2]}` | {line[3].removeprefix('FT_')} | {line[7]} |\n"
              for line in ours if not line[2].startswith(expert)}
    items = {line[2]: f"| `{line[2]}` | {line[1]} |\n" for line in ours if line[2].startswith(expert)}
    return HEAD + "".join(fields.values()) + EXPERT + "".join(items.values())


def main():
    if "--accept" in sys.argv[1:]:
        PAGE.write_text(page())
    elif PAGE.read_text() != page():
        sys.exit(f"{PAGE} is not what the plugin has: tests/golden/run_fields.py --accept")


if __name__ == "__main__":
    main()
