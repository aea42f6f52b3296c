# SPDX-License-Identifier: GPL-2.0-or-later
"""What TShark with our plugin says about a capture, as rows of fields.

Nothing here knows the protocol. TShark runs through dissector/tshark.sh with an empty
configuration, so that no preference of the user changes a test.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PCAPS = ROOT / "pcaps"
SEPARATOR = "\x1f"
SECONDS_MAX = 120
BOOLEANS = {"True": "1", "False": "0"}  # as 4.4 says it, and as 4.0 does


def tshark(args, check=True):
    """Runs it; gives back stdout. A bug in the dissector ends it with SIGABRT, which is an error."""
    with tempfile.TemporaryDirectory() as config:
        environment = dict(os.environ, WIRESHARK_CONFIG_DIR=config, WIRESHARK_EXTCAP_DIR=config,
                           LC_ALL="C.UTF-8", TZ="UTC")
        done = subprocess.run([str(ROOT / "dissector/tshark.sh"), *args], capture_output=True,
                              text=True, errors="replace", timeout=SECONDS_MAX, env=environment,
                              check=False)
    bug = "Dissector bug, protocol" in done.stdout + done.stderr
    if check and (done.returncode != 0 or bug):
        sys.exit(f"tshark {' '.join(map(str, args))}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def rows(capture, fields, passes=1, args=()):
    """One dict per frame: field -> text, or -> list of texts if its name ends with []."""
    names = [field.removesuffix("[]") for field in fields]
    command = ["-n", "-r", str(capture), "-T", "fields", "-E", f"separator={SEPARATOR}",
               "-E", "occurrence=a", "-E", "aggregator=,", *args]
    if passes == 2:
        command.append("-2")
    for name in names:
        command += ["-e", name]
    for line in tshark(command).splitlines():
        # Of the Info column, 4.4 escapes the backslashes as well.
        line = line.replace("\\\\", "\\")
        values = [BOOLEANS.get(value, value) for value in line.split(SEPARATOR)]
        yield {name: (value.split(",") if value else []) if field.endswith("[]") else value
               for field, name, value in zip(fields, names, values)}


def endpoint(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
