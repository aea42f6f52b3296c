#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_plugin.py: the plugin is loaded, exports nothing but what Wireshark looks for, keeps the filter names
that people know, and obeys its preferences and Decode As."""
import os
import subprocess
import sys
from pathlib import Path

from dissect import PCAPS, ROOT, rows, tshark

EXPORTS = {"plugin_version", "plugin_want_major", "plugin_want_minor", "plugin_register"}
OPTIONAL = {"plugin_describe"}
# Fixed: other people's scripts and profiles have them.
NAMES = {"q2p.network_id", "q2p.event", "q2p.event.name", "q2p.dialect", "q2p.address",
         "q2p.address.ip", "q2p.address.ipv6", "q2p.address.port", "q2p.hash", "q2p.length",
         "q2p.syn", "q2p.body", "q2p.lost", "q2p.reason", "q2p.transmission", "q2p.fragments",
         "q2p.missing", "q2p.complete", "q2p.reassembled.in", "q2p.reassembled.length",
         "q2p.reassembled.data"}
OPTIONS = PCAPS / "recorded/upstream-options-single.pcapng"
FILTERS = ['q2p.event.name == "TRANSPORT"', "q2p.event == 10",
           'q2p.dialect == "options"', "q2p.syn == 0", "q2p.complete == 1 && q2p.fragments == 1",
           "q2p.hash[0:3] == b5:a4:ee", "q2p.reassembled.in", "q2p.transmission == 0"]


def exported(plugin):
    text = subprocess.run(["nm", "-D", "--defined-only", plugin], check=True, capture_output=True,
                          text=True).stdout
    return {line.split()[-1] for line in text.splitlines()}


def check_plugin():
    loaded = [line for line in tshark(["-G", "plugins"]).splitlines() if line.startswith("q2p.so")]
    if not loaded:
        yield "TShark does not load the plugin"
        return
    build = Path(os.environ.get("Q2P_BUILD", "build")).resolve()
    built = next(build.glob("plugins/*/epan/q2p.so"))
    path = Path(loaded[0].split("\t")[-1])
    if path.exists() and path.resolve() != built:  # a copy for nobody is gone by now
        yield f"TShark loads another plugin: {loaded[0]}"
    names = exported(built)
    sanitizer = {name for name in names if name.startswith(("__asan", "__ubsan", "__odr_asan"))}
    if not EXPORTS <= names or names - EXPORTS - OPTIONAL - sanitizer:
        yield f"the plugin exports {sorted(names)}"


def check_fields():
    lines = [line.split("\t") for line in tshark(["-G", "fields"]).splitlines()]
    ours = {line[2]: line for line in lines if line[0] == "F" and line[2].startswith("q2p.")}
    for name in NAMES - ours.keys():
        yield f"the field {name} is gone"
    for name, line in ours.items():
        expert = name.startswith(("q2p.err.", "q2p.expert."))
        if not expert and (len(line) < 8 or not line[7]):
            yield f"the field {name} has no description"


def events(args):
    return [row["q2p.event.name"] for row in rows(OPTIONS, ["q2p.event.name"], 1, args)]


def check_preferences():
    for text in FILTERS:
        if not any(events(["-2", "-Y", text])):
            yield f"the filter {text} finds nothing"
    if events([])[1] != "OPTIONS" or "TRANSPORT" not in events([]):
        yield f"the dialect is not found out: {events([])}"
    if "OPTIONS" in events(["-o", "q2p.dialect:classic"]):
        yield "the dialect preference changes nothing"
    away = ["-d", "udp.port==10000,data", "-d", "udp.port==10001,data"]
    if any(events(away)):
        yield "Decode As cannot take Q2P away"
    back = ["-d", "udp.port==10001,q2p"]
    if not all(events(back)):
        yield "Decode As cannot bring Q2P"
    if any(events(["--disable-protocol", "q2p"])):
        yield "Q2P cannot be switched off"


def check_readme():
    """Filters in the README are ones that TShark takes."""
    text = (ROOT / "dissector/README.md").read_text()
    for line in text.split("## Ten filters")[1].split("##")[0].splitlines():
        if line.startswith("| `"):
            tshark(["-r", str(OPTIONS), "-Y", line.split("`")[1]])


def main():
    complaints = [*check_plugin(), *check_fields(), *check_preferences()]
    check_readme()
    for text in complaints:
        print(text)
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
