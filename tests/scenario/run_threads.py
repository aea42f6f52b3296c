#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The same bytes on one thread or many: run_threads.py Q2P-SIM FILE... runs each FILE on one, two and
three threads and compares what is printed and every file of the run folder. Without a FILE: what
cannot be divided, and says so.
"""
import pathlib
import subprocess
import sys
import tempfile

from run_scenario import expect

GALLERY = pathlib.Path(__file__).resolve().parent.parent.parent / "simulator/scenarios"


def run(sim, file, *words):
    return subprocess.run([sim, "run", file, *map(str, words)], text=True, timeout=300,
                          check=False, stdin=subprocess.DEVNULL, capture_output=True)


def compare(sim, file, folder):
    runs = {}
    for threads in (1, 2, 3):
        out = folder / str(threads)
        done = run(sim, file, "--threads", threads, "--ladder", "--out", out)
        expect(not done.stderr, done.stderr)
        said = done.stdout.replace(str(out), "OUT")
        files = {path.name: path.read_bytes() for path in sorted(out.iterdir())}
        runs[threads] = (done.returncode, said, files)
    expect(len(runs[1][2]) == 5 and runs[1][0] < 2, runs[1][:2])
    for threads in (2, 3):
        expect(runs[threads][:2] == runs[1][:2], f"{threads} threads say", *runs[threads][:2],
               "and one says", *runs[1][:2])
        for name, content in runs[1][2].items():
            expect(runs[threads][2].get(name) == content, f"{name} differs on {threads} threads")
    quick = run(sim, file, "--threads", 2, "--no-files", "--quiet", "--ladder")
    plain = run(sim, file, "--no-files", "--quiet", "--ladder")
    expect((quick.stdout, quick.returncode) == (plain.stdout, plain.returncode), quick.stdout)


def refused(sim, folder):
    done = run(sim, GALLERY / "icmp.yaml", "--threads", 2, "--out", folder / "out")
    expect(done.returncode == 2 and "nats.home.icmp-kills: " in done.stderr, done)
    expect(not any(folder.iterdir()), "a run folder of no run")
    done = run(sim, GALLERY / "same-nat.yaml", "--threads", 2, "--no-files")
    expect(done.returncode == 0 and "on one thread: " in done.stderr, done)
    alone = run(sim, GALLERY / "same-nat.yaml", "--no-files")
    expect(alone.stdout == done.stdout and not alone.stderr, alone)
    done = run(sim, GALLERY / "demo.yaml", "--threads", 65, "--no-files")
    expect(done.returncode == 2 and "from 1 to 64" in done.stderr, done)


def main():
    sim, files = sys.argv[1], sys.argv[2:]
    for file in files or [None]:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            if file:
                compare(sim, file, folder)
            else:
                refused(sim, folder)


main()
