#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""progress.py Q2P: who sends and who receives for longer than a second sees on a terminal how much,
how fast and with what losses; and nothing of it with --json or where no terminal is."""
import os
import pty
import re
import subprocess
import sys
import tempfile

Q2P = sys.argv[1]
LENGTH = 500_000
SHOWN = r"\r\x1b\[K[0-9.]+ MB %s, [0-9.]+ MB/s, [0-9.]+ %% %s"


def start(terminal, *arguments):
    """A program whose standard error is a terminal, and what the terminal is read by."""
    if not terminal:
        return subprocess.Popen([Q2P, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ours, its = pty.openpty()
    program = subprocess.Popen([Q2P, *arguments], stdout=subprocess.PIPE, stderr=its)
    os.close(its)
    program.stderr = os.fdopen(ours, "rb", buffering=0)
    return program


def said(program):
    """All of its standard error; a terminal whose program has ended is an error to read."""
    text = b""
    try:
        while piece := program.stderr.read(4096):
            text += piece
    except OSError:
        pass
    if program.wait() != 0:
        sys.exit(f"{program.args} ends with {program.returncode}: {text}")
    return text.decode()


def transfer(folder, terminal, *options):
    """What `q2p send` and `q2p recv` say while two files take a second and a half."""
    recv = start(terminal, "recv", *options, "--ip", "127.0.0.1", "--port", "0", "--out", folder,
                 "--count", "2")
    port = re.search(r"127\.0\.0\.1:([0-9]+)", recv.stdout.readline().decode())[1]
    files = [os.path.join(folder, name) for name in "ab"]
    for name in files:
        with open(name, "wb") as file:
            file.write(os.urandom(LENGTH // 2))
    send = start(terminal, "send", *options, "--dialect", "options", "--rate", "300KiB", "--to",
                 f"127.0.0.1:{port}", *files)
    return said(send), said(recv)


with tempfile.TemporaryDirectory() as there:
    sent, received = transfer(there, True)
    if not re.search(SHOWN % ("sent", "sent again") + ", [01] of 2 files", sent):
        sys.exit(f"no progress at the sender: {sent!r}")
    if not re.search(SHOWN % ("received", "came twice"), received):
        sys.exit(f"no progress at the receiver: {received!r}")
    for how in (True, "--json"), (False,):
        for text in transfer(there, *how):
            if text:
                sys.exit(f"{how}: there is something on standard error: {text!r}")
