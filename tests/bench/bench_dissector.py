#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench_dissector.py [--json] [--quick]: what the plugin costs, as ratios to what the same run measured
beside it: a plugin with ten plain fields (ten_fields.c), the capture's own size, a small transmission.
CPU time and peak memory are those of the TShark process. Exits 1 if a bar is missed."""
import argparse
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("Q2P_BUILD", ROOT / "build")).resolve()
SHARE = 484
FLOWS, PER_TRANSMISSION = 16, 64
MIB = 1 << 20


class Capture:
    """A pcap of UDP datagrams from hosts 10.0.x.x to 10.1.0.1:10000."""

    def __init__(self, path, target_port=10000):
        self.path, self.port, self.count = path, target_port, 0
        self.file = open(path, "wb", buffering=MIB)
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        self.start = {}

    def add(self, flow, payload, back=False):
        size = len(payload)
        head = self.start.get((flow, size, back))
        if head is None:
            ends = [(bytes([10, 0, flow >> 8, flow & 255]), 20000 + flow), (bytes([10, 1, 0, 1]), self.port)]
            (source, sport), (target, dport) = reversed(ends) if back else ends
            head = struct.pack("<II", size + 42, size + 42) + b"\2" * 12 + b"\x08\0" + struct.pack(
                "!BBHHHBBH", 0x45, 0, size + 28, 0, 0, 64, 17, 0) + source + target + struct.pack(
                "!HHHH", sport, dport, size + 8, 0)
            self.start[flow, size, back] = head
        self.file.write(struct.pack("<II", self.count // 100000, self.count % 100000 * 10) + head + payload)
        self.count += 1

    def close(self):
        self.file.close()
        return self.path


def fragment(key, length, syn, body):
    return struct.pack("<HH16sII", 0, 8, key, length, syn) + body


def traffic(path, packets, port=10000):
    """Classic transmissions of 64 full fragments in 16 flows, one fragment of each in turn."""
    capture, dice, body = Capture(path, port), random.Random(1), bytes(range(256)) * 2
    length = PER_TRANSMISSION * SHARE
    while capture.count < packets:
        keys = [dice.randbytes(16) for _ in range(FLOWS)]
        for syn in range(PER_TRANSMISSION):
            for flow, key in enumerate(keys):
                capture.add(flow, fragment(key, length, syn, body[:SHARE]))
    return capture.close(), capture.count


def shuffled(path, fragments):
    """One transmission, its fragments in random order."""
    capture, order, key = Capture(path), list(range(fragments)), bytes(range(16))
    random.Random(2).shuffle(order)
    for syn in order:
        capture.add(0, fragment(key, fragments * SHARE, syn, bytes(SHARE)))
    return capture.close(), capture.count


def many_small(path, fragments, count):
    """As many fragments in random order, in transmissions of that size one after the other."""
    capture, dice = Capture(path), random.Random(3)
    for _ in range(count // fragments):
        key, order = dice.randbytes(16), list(range(fragments))
        dice.shuffle(order)
        for syn in order:
            capture.add(0, fragment(key, fragments * SHARE, syn, bytes(SHARE)))
    return capture.close(), capture.count


def hostile(path, packets):
    """Every datagram announces 4 GiB, for another key each; every second one asks for the last fragments
    of the one before."""
    capture, dice = Capture(path), random.Random(4)
    length, last = 0xFFFFFFFF, 0xFFFFFFFF // SHARE - 1
    while capture.count < packets:
        key = dice.randbytes(16)
        capture.add(0, fragment(key, length, dice.randrange(last), bytes(SHARE)))
        asked = [dice.randrange(last) for _ in range(123)]
        capture.add(0, struct.pack("<HH16s123I", 0, 9, key, *asked), back=True)
    return capture.close(), capture.count


def noise(path, packets):
    """Other people's datagrams of 512 bytes, on a port that nobody claims."""
    capture, dice = Capture(path, 4242), random.Random(5)
    pool = [dice.randbytes(512) for _ in range(1000)]
    for number in range(packets):
        capture.add(number % FLOWS, pool[dice.randrange(1000)])
    return capture.close(), capture.count


def run(plugins, capture, *args):
    """(CPU seconds, peak memory in bytes) of TShark with the plugins of a build directory."""
    with tempfile.TemporaryDirectory() as config:
        environment = dict(os.environ, WIRESHARK_CONFIG_DIR=config, Q2P_BUILD=str(plugins), LC_ALL="C")
        command = [str(ROOT / "dissector/tshark.sh"), "-n", "-q", "-z", "io,stat,0", *args, "-r", str(capture)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def least(repeats, *runs):
    """The least CPU time of each of some runs, taken in turn so that noise meets all of them."""
    taken = [[run(*one)[0] for one in runs] for _ in range(repeats)]
    return [min(times) for times in zip(*taken)]


class Report:
    def __init__(self, as_json):
        self.json, self.failed = as_json, False

    def bar(self, name, value, bar, at_most):
        good = value <= bar if at_most else value >= bar
        self.failed |= not good
        if self.json:
            print(json.dumps({"name": name, "value": round(value, 3), "bar": round(bar, 3),
                              "at": "most" if at_most else "least", "holds": good}), flush=True)
        else:
            print(f"{name:52} {value:9.3f}  {'<=' if at_most else '>='} {bar:<8.4g} "
                  f"{'holds' if good else 'FAILS'}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line of JSON a bar")
    parser.add_argument("--quick", action="store_true", help="a fifth of the packets")
    options = parser.parse_args()
    packets, repeats = (200_000, 2) if options.quick else (1_000_000, 3)
    yardstick, report = BUILD / "bench_plugins", Report(options.json)

    with tempfile.TemporaryDirectory(prefix="q2p-bench-") as folder:
        folder = Path(folder)
        one, _ = traffic(folder / "one.pcap", 1)
        start_ours, memory_ours = run(BUILD, one)
        start_ten, _ = run(yardstick, one)

        path, count = traffic(folder / "traffic.pcap", packets)
        for passes, args in (("one pass", ()), ("two passes", ("-2",))):
            ours, ten = least(repeats, (BUILD, path, *args), (yardstick, path, *args))
            report.bar(f"packets per second against ten fields, {passes}",
                       (ten - start_ten) / (ours - start_ours), 0.82, False)
        beyond = (run(BUILD, path)[1] - memory_ours) / count - SHARE
        report.bar("bytes per packet beyond the fragments", beyond, 120, True)
        path.unlink()

        path, count = hostile(folder / "hostile.pcap", packets // 5)
        grown = run(BUILD, path)[1] - memory_ours
        allowed = 2 * path.stat().st_size + 64 * MIB
        report.bar("hostile lengths, memory by what is allowed", grown / allowed, 1, True)
        path.unlink()

        path, count = shuffled(folder / "shuffled.pcap", packets)
        small, small_count = many_small(folder / "small.pcap", 1000, packets)
        big_s, small_s = least(2, (BUILD, path), (BUILD, small))
        report.bar(f"time per fragment, {count} in random order by 1000",
                   ((big_s - start_ours) / count) / ((small_s - start_ours) / small_count), 2, True)
        path.unlink()
        small.unlink()

        path, count = noise(folder / "noise.pcap", packets)
        on, off = least(repeats, (BUILD, path, "--enable-heuristic", "q2p_udp"), (BUILD, path))
        report.bar("other traffic with the heuristic on by off", (on - start_ours) / (off - start_ours),
                   1.03, True)
    sys.exit(report.failed)


if __name__ == "__main__":
    main()
