#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
run_commands.py ROOT BUILD: the commands of the READMEs, typed as they stand there, and the first
scenario that the simulator's shows. Left out is what takes an address, a screen, or a whole build.
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FILES = {"dissector": "pcaps/recorded/upstream-options-nat-loss.pcapng",
         "simulator": "simulator/scenarios/hairpin.yaml"}  # where a README says FILE
LEFT_OUT = r"192\.0\.2\.|q2p node|\./dev (demo|test|gui|install-plugin)"
LEAST = 15  # fewer: the READMEs are written otherwise, and this finds nothing


def commands(root):
    """(README, command): lines of code blocks, fenced or indented, that begin with a program."""
    for page in ("README.md", *(f"{room}/README.md" for room in (*FILES, "pcaps", "libq2p"))):
        for line in (root / page).read_text().splitlines():
            found = re.match(r"(?:    )?((?:build/bin/)?q2p(?:-sim)? [a-z].*|\./dev [a-z].*)", line)
            if found:
                yield page, re.sub(r"\s+#.*", "", found[1])


def main():
    root, build = (Path(argument).resolve() for argument in sys.argv[1:])
    environment = {**os.environ, "Q2P_BUILD": str(build),
                   "PATH": f"{build}/bin:{os.environ['PATH']}"}
    done, failed = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("pcaps", "simulator"):
            (Path(folder) / name).symlink_to(root / name)
        for page, command in commands(root):
            if re.search(LEFT_OUT, command):
                continue
            typed = command.replace("FILE", FILES.get(page.split("/")[0], "FILE"))
            typed = typed.replace("./dev tshark", str(root / "dissector/tshark.sh"))
            typed = typed.replace("build/bin/", "")
            ended = subprocess.run(typed, shell=True, cwd=folder, env=environment, text=True,
                                   capture_output=True, check=False)
            done += 1
            if ended.returncode:
                failed.append(f"{page}: {command}\n  exit code {ended.returncode}: {ended.stderr}")
        example = re.search(r"(?s)```yaml\n(.*?)```", (root / "simulator/README.md").read_text())[1]
        ended = subprocess.run([build / "bin/q2p-sim", "run", "-", "--no-files"], input=example,
                               text=True, capture_output=True, check=False)
        if ended.returncode:
            failed.append(f"simulator/README.md: its scenario\n{ended.stdout}{ended.stderr}")
    if done < LEAST:
        failed.append(f"only {done} commands were found")
    print("\n".join(failed) or f"{done} commands and a scenario")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
