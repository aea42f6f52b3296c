#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scarce.py Q2P SCARCE.SO CAPTURE: every allocation of every command fails once, those that the
system's libraries make among them. A command that cannot do its work then ends with exit code 3 or
4 and says why on a line; one that ends well has written all, or says what it left out."""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

Q2P, SCARCE, CAPTURE = sys.argv[1:]
X = bytes.fromhex("00000800 9dd4e461268c8034f5c8564e155c67a6 01000000 00000000 78")  # classic: "x"


def speak_to(program):
    """Sends a byte to a `q2p recv` until it ends; returns the line that said where it listens."""
    line = program.stdout.readline()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        while line and program.poll() is None:
            peer.sendto(X, ("127.0.0.1", json.loads(line)["port"]))
            time.sleep(0.01)
    return line


def run(at, arguments):
    """Exit code, what it wrote, what it said, and whether there was an allocation of that number."""
    told, tell = os.pipe()
    with os.fdopen(told, "rb") as told, subprocess.Popen(
            [Q2P, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, pass_fds=[tell], env={
                "LD_PRELOAD": SCARCE, "Q2P_SCARCE_AT": str(at), "Q2P_SCARCE_TELL": str(tell)}) \
            as program:
        os.close(tell)
        written = speak_to(program) if arguments[0] == "recv" else b""
        rest, said = program.communicate(timeout=60)
        return program.returncode, written + rest, said.decode(), told.read() != b""


def judge(repeats, *arguments):
    """`repeats`: what it writes is the same each time."""
    code, well, said, struck = run(0, arguments)
    if code != 0 or struck:
        sys.exit(f"{arguments} ends with {code} and memory enough: {said}")
    at, failures = 1, 0
    while True:
        code, written, said, struck = run(at, arguments)
        if not struck:
            break
        fine = code == 0 and (written == well or said or not repeats)
        if not fine and (code not in (3, 4) or not re.match("q2p: .", said)):
            sys.exit(f"{arguments}, allocation {at}: exit code {code}, {said or 'not a word'}")
        at += 1
        failures += code != 0
    print(f"{arguments[0]}: {at - 1} allocations, {failures} of which it cannot do without")
    if failures == 0:
        sys.exit("none of them failed, or nobody noticed")


def main():
    with tempfile.TemporaryDirectory() as folder:
        judge(True, "decode", "--json", "00000500", "0000000a")
        judge(True, "check", "--json", CAPTURE)
        judge(True, "check", "--extract", folder + "/extract", CAPTURE)
        judge(True, "replay", "--json", CAPTURE)
        judge(False, "recv", "--json", "--port", "0", "--ip", "127.0.0.1", "--out", folder)
        with subprocess.Popen([Q2P, "node", "--json", "--port", "0", "--ip", "127.0.0.1"],
                              stdout=subprocess.PIPE) as node:
            try:
                place = "127.0.0.1:%d" % json.loads(node.stdout.readline())["port"]
                judge(False, "node", "--for", "20ms", "--port", "0", "--seed", place)
                judge(False, "ping", "--dialect", "options", "--count", "1", place)
                judge(False, "send", "--dialect", "options", "--to", place, CAPTURE, Q2P)
            finally:
                node.kill()


main()
