#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_install.py: dissector/install.sh puts plugin and profile where a user's Wireshark finds them, takes
them away again, and refuses a Wireshark of another version and a second copy. Nothing outside of a home
made for the test is written; root becomes nobody for it, and skips it where nobody cannot read this."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dissect import ROOT

SKIP = 77
NOBODY = 65534
FAKE = """#!/bin/sh
# A TShark of another version, or with another folder for everybody's plugins.
[ "$1" != --version ] || [ -z "$FAKE_VERSION" ] || { echo "TShark (Wireshark) $FAKE_VERSION.0"; exit; }
real=$(PATH=${PATH#*:} command -v tshark)
[ "$*" != "-G folders" ] || [ -z "$FAKE_PLUGINS" ] || {
  "$real" -G folders | sed "s,^\\\\(Global Plugins:\\\\).*,\\\\1 $FAKE_PLUGINS,"; exit; }
exec "$real" "$@"
"""


def install(home, *args, **more):
    environment = dict(os.environ, HOME=str(home), Q2P_BUILD=str(home / "build"), LC_ALL="C.UTF-8",
                       PATH=f"{home}/bin:{os.environ['PATH']}", FAKE_VERSION="", FAKE_PLUGINS="")
    environment.update(more)
    for name in ("XDG_CONFIG_HOME", "WIRESHARK_CONFIG_DIR", "WIRESHARK_PLUGIN_DIR"):
        environment.pop(name, None)
    command = [str(ROOT / "dissector/install.sh"), *args]
    if os.getuid() == 0 or os.getgid() == 0:
        command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return done.returncode, done.stdout + done.stderr


def installed(home):
    names = {path.name for path in home.rglob("*") if path.is_file() and
             {".local", ".config"} & set(path.relative_to(home).parts)}
    return names & ({"q2p.so"} | {path.name for path in (ROOT / "dissector/profile/Q2P").iterdir()})


def check(home):
    everything = {"q2p.so", "preferences", "colorfilters", "dfilter_buttons", "heuristic_protos"}
    code, text = install(home, FAKE_VERSION="9.9")
    if code != 4 or "runs only in the minor version it was built for" not in text or installed(home):
        yield f"another version is not refused: {code} {text}"
    (home / "all/epan").mkdir(parents=True)
    (home / "all/epan/q2p.so").touch()
    code, text = install(home, FAKE_PLUGINS=str(home / "all"))
    if code != 4 or "there is another one already" not in text or installed(home):
        yield f"a second copy is not refused: {code} {text}"
    for _ in range(2):
        code, text = install(home)
        if code != 0 or "install: done" not in text or installed(home) != everything:
            yield f"installing: {code} {text} {installed(home)}"
    code, text = install(home, "--uninstall")
    if code != 0 or installed(home):
        yield f"uninstalling: {code} {text} leaves {installed(home)}"
    if install(home, "--what")[0] != 2:
        yield "an unknown option is taken"


def main():
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "bin").mkdir()
        (home / "bin/tshark").write_text(FAKE)
        (home / "bin/tshark").chmod(0o755)
        home.chmod(0o755)
        if os.getuid() == 0 or os.getgid() == 0:
            os.chown(home, NOBODY, NOBODY)
            reads = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                                    "--clear-groups", "test", "-r", str(ROOT / "CMakeLists.txt")],
                                   check=False)
            if reads.returncode != 0:
                sys.exit(SKIP)
        complaints = list(check(home))
    print("\n".join(complaints))
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
