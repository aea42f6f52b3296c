#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares what `q2p check --json` finds in recordings of the original program with what really
happened, as the original's own log tells (pcaps/recorded/truth.json).

    truth_check.py Q2P RECORDED_DIR [CAPTURE...]

Without captures: all of them. Every transmission must be there as often as it was sent, complete
or not as the receiver reported, with the SHA-256 of what was sent or the SYNs that were missing;
every connected pair and every JOIN that a seed reported must be there; and nothing else may be
complete or connected."""

import json
import pathlib
import subprocess
import sys

# The original's log calls the dialects by the program's history.
DIALECTS = {"epoch0": "early"}


def run_check(q2p, path):
    done = subprocess.run([q2p, "check", "--json", path], capture_output=True, check=True)
    objects = [json.loads(line) for line in done.stdout.decode("ascii").splitlines()]
    assert all("type" in o and isinstance(o["t_ns"], int) for o in objects), "type or t_ns missing"
    return objects


def key_of(t):
    return t["src"], t["dst"], t.get("hash") or t["key"]


def judge_transmission(truth, dialect, found):
    """The objects that check found for one transmission of the truth."""
    if len(found) != (truth["times_sent"] if truth["on_wire"] else 0):
        yield f"sent {truth['times_sent']} times, found {len(found)}"
    for t in found:
        if t["length"] != truth["size"]:
            yield f"length {t['length']}, want {truth['size']}"
        if dialect != "mixed" and t["dialect"] != dialect:
            yield f"dialect {t['dialect']}, want {dialect}"
        if t["complete"] != truth["complete"]:
            yield f"complete {t['complete']}, want {truth['complete']}"
        elif t["complete"] and t["sha256"] != truth["payload_sha256"]:
            yield f"sha256 {t['sha256']}, want {truth['payload_sha256']}"
        elif t["complete"] and t["missing"]:
            yield f"complete, but {t['missing']} missing"
        want = truth.get("missing_at_receiver")  # null: the log does not know
        if not t["complete"] and want is not None and t["missing"] != want:
            yield f"missing {t['missing']}, want {want}"
        if t["missing_count"] != len(t["missing"]):
            yield f"missing_count {t['missing_count']} of {len(t['missing'])}"


def judge_capture(truth, objects):
    dialect = DIALECTS.get(truth["dialect"], truth["dialect"])
    found = {}
    for o in objects:
        if o["type"] == "transmission":
            found.setdefault(key_of(o), []).append(o)
    for t in truth["transmissions"]:
        for complaint in judge_transmission(t, dialect, found.pop(key_of(t), [])):
            yield f"{' '.join(key_of(t))}: {complaint}"

    # Hand-made datagrams are not in the program's log: what they announce may be seen, but never
    # as complete.
    crafted = {m["src_port"] for m in truth.get("malformed", [])}
    for key, extra in found.items():
        made_by_hand = int(key[0].rpartition(":")[2]) in crafted
        if not made_by_hand or any(t["complete"] for t in extra):
            yield f"{' '.join(key)}: nobody sent that"

    pairs = [frozenset((o["a"], o["b"])) for o in objects if o["type"] == "connected"]
    want = {frozenset(pair) for pair in truth["peers_connected"]}
    if set(pairs) != want or len(pairs) != len(want):
        yield f"connected {[sorted(p) for p in pairs]}, want {[sorted(p) for p in want]}"
    joins = {(o["peer"], o["seed"]) for o in objects if o["type"] == "join"}
    for join in truth["joins"]:
        if (join["peer"], join["seed"]) not in joins:
            yield f"{join['peer']} joined through {join['seed']}, and was not seen"
    mismatches = sum(o["times"] for o in objects if o["type"] == "mismatch")
    if ("connect_failed" in truth) != (mismatches > 0):
        yield f"{mismatches} refusals of a foreign network"
    malformed = [o for o in objects if o["type"] == "malformed"]
    if "malformed" not in truth and any(o["status"] != "ERR_OVERSIZE" for o in malformed):
        yield f"malformed datagrams of the original: {malformed}"


def main():
    q2p, recorded = sys.argv[1], pathlib.Path(sys.argv[2])
    chosen = sys.argv[3:]
    captures = json.loads((recorded / "truth.json").read_text())["captures"]
    captures = [c for c in captures if not chosen or c["file"] in chosen]
    assert captures and len(captures) >= len(chosen), "no such capture in truth.json"
    complaints = 0
    for truth in captures:
        objects = run_check(q2p, recorded / truth["file"])
        for complaint in judge_capture(truth, objects):
            print(f"{truth['file']}: {complaint}")
            complaints += 1
    print(f"{len(captures)} captures, {complaints} disagreements")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
