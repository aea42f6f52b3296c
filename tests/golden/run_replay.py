#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_replay.py [--accept] [CAPTURE...]: what `q2p check` finds in a capture, and how our node fares in
the place of each endpoint that MANIFEST.yaml names (`q2p replay`), compared with
pcaps/golden/<capture>.check.txt and .replay.txt; --accept writes them. CAPTURE is a path, or a name in
pcaps/; without any, every capture of the manifest."""
import argparse
import difflib
import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PCAPS = ROOT / "pcaps"
Q2P = ROOT / os.environ.get("Q2P_BUILD", "build") / "bin/q2p"
SHOWN_MAX = 120  # characters of one value
SEVERITY = {"identical": 0, "equivalent": 0, "skipped": 0, "different": 1}


def entries():
    return yaml.safe_load((PCAPS / "MANIFEST.yaml").read_text())["captures"]


def name_of(path):
    return Path(path).name.rsplit(".", 1)[0]


def q2p(*args, codes=(0,)):
    """JSON objects that it says; a crash, or an exit code that is not expected, ends the test."""
    done = subprocess.run([str(Q2P), *map(str, args)], capture_output=True, text=True, timeout=120,
                          check=False)
    if done.returncode not in codes:
        sys.exit(f"q2p {' '.join(map(str, args))}: exit code {done.returncode}\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def shorten(value):
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}... ({len(text)} characters)"


def render_check(entry):
    """One line per happening: without times, which say nothing that the frame does not."""
    lines = []
    for item in q2p("check", "--json", PCAPS / entry["file"]):
        kind = item.pop("type")
        fields = {key: value for key, value in item.items()
                  if not key.endswith("_ns") and key != "file"}
        lines.append(f"{kind} " + " ".join(f"{key}={shorten(fields[key])}" for key in fields))
    return "\n".join(lines) + "\n"


def render_replay(entry):
    """Verdict and rules of each endpoint. How often a rule was needed may change with the library;
    which rules are needed may not, unless somebody looks."""
    lines = []
    for endpoint in entry.get("replay", []):
        found, = q2p("replay", "--json", PCAPS / entry["file"], "--as", endpoint, codes=(0, 1))
        if SEVERITY[found["verdict"]]:
            shown = subprocess.run([str(Q2P), "replay", str(PCAPS / entry["file"]), "--as", endpoint],
                                   capture_output=True, text=True, check=False)
            print(shown.stdout)
        lines.append(f"{endpoint} {found['verdict']}: {found.get('recorded', 0)} recorded; " +
                     (", ".join(rule["name"] for rule in found["rules"]) or "no rule needed"))
    return "\n".join(lines) + "\n"


RENDERERS = {"check": render_check, "replay": render_replay}


def judge(entry, kind, accept):
    """True if it is as it was."""
    golden = PCAPS / "golden" / f"{name_of(entry['file'])}.{kind}.txt"
    if kind == "replay" and not entry.get("replay"):
        return True
    now = RENDERERS[kind](entry)
    if kind == "replay" and " different:" in now:
        print(f"{entry['file']}: a node of ours is different; that cannot be accepted")
        return False
    if accept:
        golden.write_text(now)
        return True
    if not golden.exists():
        print(f"{golden} is missing; if this is right: ./dev golden --accept {name_of(entry['file'])}")
        return False
    before = golden.read_text()
    if now == before:
        return True
    sys.stdout.writelines(difflib.unified_diff(
        before.splitlines(True), now.splitlines(True), str(golden.relative_to(ROOT)), "now", n=0))
    print(f"if this is right: ./dev golden --accept {name_of(entry['file'])}")
    return False


def run(names, accept):
    wanted = {name_of(name) for name in names}
    chosen = [entry for entry in entries() if not wanted or name_of(entry["file"]) in wanted]
    missing = wanted - {name_of(entry["file"]) for entry in chosen}
    if missing:
        sys.exit(f"not in MANIFEST.yaml: {', '.join(sorted(missing))}")
    return all([judge(entry, kind, accept) for entry in chosen for kind in RENDERERS])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accept", action="store_true", help="write the golden files")
    parser.add_argument("captures", nargs="*")
    options = parser.parse_args()
    sys.exit(not run(options.captures, options.accept))


if __name__ == "__main__":
    main()
