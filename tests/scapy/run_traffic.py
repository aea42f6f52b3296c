#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_traffic.py --binary Q2P [--sanitized] SCRIPT...: each traffic script against a live node, which has to
survive, stay within its memory, still do its work, and send back no more than three bytes for one. The
same seed must send the same bytes."""
import argparse
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from live import MIB, Failed, Node, deliver, must
from scapy.utils import rdpcap

GROWTH_MAX = 8 * MIB
BACK_MAX = 3     # bytes for one, PROTOCOL.md 10
LIMITED = 4000   # bytes of CONNECT_FAILED and the like that a second may bring in any case


def run(script, node, dialect, folder):
    """Runs a script once; gives back the bytes it sent, by its capture."""
    pcap = f"{folder}/sent.pcapng"
    done = subprocess.run([sys.executable, script, "--to", "%s:%d" % node.address, "--seed", "5",
                           "--count", "600", "--dialect", dialect, "--pcap", pcap], capture_output=True, text=True,
                          timeout=120, check=False)
    must(done.returncode == 0, f"{script.name}: {done.stderr}")
    sent, back = map(int, re.search(r", (\d+) bytes; (\d+) bytes came back", done.stdout).groups())
    must(back <= BACK_MAX * sent + LIMITED, f"{script.name}: {back} bytes for {sent}")
    return [bytes(frame.lastlayer()) for frame in rdpcap(pcap)]


def judge(script, args, dialect, folder):
    node = Node(args.binary, "--dialect", dialect)
    try:
        sent = run(script, node, dialect, folder)
        if dialect == "classic":
            must(run(script, node, dialect, folder) == sent,
                 f"{script.name}: other bytes with the same seed")
        must(node.alive(), f"{script.name}: the node ended: {node.errors.decode()[-2000:]}")
        must(args.sanitized or node.grown() <= GROWTH_MAX,
             f"{script.name}: the node grew by {node.grown() // 1024} KiB")
        deliver(node, random.Random(1), dialect)
    finally:
        code = node.stop()
    must(code in (0, 128 + 15, -15), f"{script.name}: the node ends with {code}")
    return sent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--sanitized", action="store_true", help="do not judge memory")
    parser.add_argument("scripts", nargs="+", type=Path)
    args = parser.parse_args()
    failed = False
    for script in args.scripts:
        for dialect in ("classic", "options"):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    sent = judge(script, args, dialect, folder)
                    print(f"{script.stem}, {dialect}: {len(sent)} datagrams survived")
                except Failed as why:
                    failed = True
                    print(f"FAILED {why}")
    done = subprocess.run([sys.executable, args.scripts[0], "--to", "192.0.2.1:10000"],
                          capture_output=True, text=True, check=False)
    if done.returncode != 2 or "loopback" not in done.stderr:
        failed = True
        print("FAILED: a script sends to other machines")
    sys.exit(failed)


if __name__ == "__main__":
    main()
