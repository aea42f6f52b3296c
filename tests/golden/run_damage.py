#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_damage.py [SEED]: recordings that were cut or have wrong bits. A cut one must say so and must not
make up what it has not; nothing may break the dissector, in one pass or two."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dissect import PCAPS, rows, tshark

CUT = ["upstream-classic-loss-resend", "upstream-options-bidir", "upstream-epoch0-join-multi"]
SNAPLENS = (43, 46, 50, 62, 65, 69, 71, 200)  # ends in every field of the header and behind it
FLIPS = 5
FIELDS = ["q2p.event.name", "q2p.err.cut", "q2p.complete", "q2p.reassembled.data",
          "q2p.reassembled.in", "q2p.body", "_ws.expert.message", "_ws.malformed"]


def recorded(name):
    return PCAPS / "recorded" / f"{name}.pcapng"


def check_cut(name, whole, snaplen, folder):
    """A cut fragment says so; what was put together of cut ones is nothing."""
    cut = Path(folder) / "cut.pcapng"
    subprocess.run(["editcap", "-s", str(snaplen), str(recorded(name)), str(cut)], check=True)
    for number, (row, before) in enumerate(zip(rows(cut, FIELDS, passes=2), whole), 1):
        where = f"{name} cut to {snaplen} bytes, frame {number}"
        if row["_ws.malformed"]:
            yield f"{where}: malformed"
        if before["q2p.body"] and len(row["q2p.body"]) < len(before["q2p.body"]):
            if not row["q2p.err.cut"]:
                yield f"{where}: does not say that it is cut"
            if row["q2p.reassembled.data"]:
                yield f"{where}: puts together what it has not"
        if row["q2p.complete"] and row["q2p.complete"] != before["q2p.complete"]:
            yield f"{where}: complete is {before['q2p.complete']}, found {row['q2p.complete']}"


def check_flips(seed, folder):
    """Every recording in one file, each with wrong bytes behind the headers of UDP."""
    everything, damaged = Path(folder) / "everything.pcapng", Path(folder) / "damaged.pcapng"
    captures = sorted(map(str, (PCAPS / "recorded").glob("*.pcapng")))
    subprocess.run(["mergecap", "-a", "-w", str(everything), *captures], check=True)
    for flip in range(seed, seed + FLIPS):
        subprocess.run(["editcap", "-E", "0.03", "-o", "42", "--seed", str(flip), str(everything),
                        str(damaged)], check=True, stderr=subprocess.DEVNULL)
        one = tshark(["-n", "-r", str(damaged), "-V"])
        two = tshark(["-n", "-2", "-r", str(damaged), "-T", "fields", "-e", "q2p.event.name"])
        if "Q2P" not in one or "TRANSPORT" not in two:
            yield f"seed {flip}: nothing is shown any more"


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    os.environ.setdefault("WIRESHARK_DEBUG_WMEM_OVERRIDE", "strict")  # canaries around all memory
    os.environ["WIRESHARK_ABORT_ON_TOO_MANY_ITEMS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        complaints = []
        for name in CUT:
            whole = list(rows(recorded(name), FIELDS, passes=2))
            assert any(row["q2p.body"] and not row["q2p.err.cut"] for row in whole)
            for snaplen in SNAPLENS:
                complaints += check_cut(name, whole, snaplen, folder)
        complaints += check_flips(seed, folder)
    for text in complaints[:50]:
        print(text)
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
