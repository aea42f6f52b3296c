#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_golden.py [--accept] [CAPTURE...]: what the plugin shows of a capture, compared with
pcaps/golden/<capture>.txt; --accept writes that file, and those of run_replay.py. CAPTURE is a path, or
a name in pcaps/; without any, every recording.

A golden file has one line per frame, as seen in one pass, and then what a second pass adds: only
that knows of things to come, such as where a transmission will be complete.
"""
import argparse
import difflib
import hashlib
import itertools
import sys

import run_replay
from dissect import PCAPS, rows

MESSAGE = ["network_id", "event", "event.name", "dialect", "address", "address.ip", "address.ipv6",
           "address.port", "reason", "hash", "length", "syn", "state", "token",
           "received", "lost.count", "lost", "trailing"]
FIELDS = [*MESSAGE, "transmission", "sending", "fragments", "missing.count", "missing", "complete", "verdict",
          "started.in", "reassembled.in", "gave_up.in", "refused.in", "duplicate.of",
          "reassembled.length", "reassembled.data", "role", "fragment", "asked.in", "answered.in",
          "response.in", "response.to", "response.time", "duration", "goodput", "hash.check",
          *("punch" + name for name in (
              "", ".newcomer", ".known", ".seed", ".step", ".previous", ".next", ".first",
              ".step.time", ".time", ".state", ".wanted", ".verdict", ".connected.in", ".count"))]
ICMP = "Type indicates an error"  # an expert item of 4.6 beside a datagram that it quotes
SHOWN_MAX = 120  # characters of one value


def shorten(name, value):
    if name == "reassembled.data":
        return "sha256:" + hashlib.sha256(bytes.fromhex(value)).hexdigest()
    if len(value) > SHOWN_MAX:
        return f"{value[:SHOWN_MAX]}… ({len(value)} characters)"
    return value


def frames(capture, passes):
    """Frame number -> {"info": ..., field: ...} with what is there of each."""
    wanted = ["frame.number", "_ws.col.Protocol", "_ws.col.Info", "_ws.expert.message"]
    wanted += ["q2p." + name for name in FIELDS]
    shown = {}
    for row in rows(capture, wanted, passes):
        frame = {"info": f"{row['_ws.col.Protocol']} {row['_ws.col.Info']}"}
        for name in FIELDS:
            if row["q2p." + name]:
                frame[name] = shorten(name, row["q2p." + name])
        expert = row["_ws.expert.message"].replace("," + ICMP, "").replace(ICMP, "").strip(",")
        if "event" in frame and expert:
            frame["expert"] = expert
        shown[row["frame.number"]] = frame
    return shown


def line(number, frame):
    fields = "  ".join(f"{name}={value}" for name, value in frame.items() if name != "info")
    return "\n    ".join(filter(None, [f"{number}: {frame.get('info', '')}".rstrip(), fields]))


def changes(before, after):
    """What the second pass says otherwise. That is never about the message itself."""
    said = [name for name in MESSAGE if before.get(name) != after.get(name)]
    if said:
        sys.exit(f"the second pass reads {', '.join(said)} otherwise: {before} {after}")
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    return changed | {name: "(gone)" for name in before if name not in after}


def render(capture):
    first, second = frames(capture, 1), frames(capture, 2)
    text = ["# one pass"] + [line(number, frame) for number, frame in first.items()]
    text.append("# what the second pass changes")
    changed = {number: changes(first[number], second[number]) for number in second}
    for change, group in itertools.groupby(changed, changed.get):
        numbers = list(group)
        if change:
            text.append(line("-".join(dict.fromkeys((numbers[0], numbers[-1]))), change))
    return "\n".join(text) + "\n"


def path_of(name):
    return next(PCAPS.glob(f"*/{name}.pcapng"), name)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accept", action="store_true", help="write the golden file")
    parser.add_argument("captures", nargs="*")
    options = parser.parse_args()
    failed = False

    everything = sorted((PCAPS / "recorded").glob("*.pcapng"))
    for name in options.captures or everything:
        capture = path_of(name)
        golden = PCAPS / "golden" / (str(capture).rsplit("/", 1)[-1].rsplit(".", 1)[0] + ".txt")
        now = render(capture)
        if options.accept:
            golden.write_text(now)
            run_replay.run([capture], True)
            continue
        if not golden.exists():
            sys.exit(f"{golden} is missing\nagain: tests/golden/run_golden.py --accept {name}")
        before = golden.read_text()
        if now != before:
            failed = True
            sys.stdout.writelines(difflib.unified_diff(
                before.splitlines(True), now.splitlines(True), str(golden), "now", n=1))
            print(f"if this is right: tests/golden/run_golden.py --accept {name}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
