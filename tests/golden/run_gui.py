#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_gui.py: the real Wireshark, on a screen that nobody sees, with our plugin and profile: it shows our
statistics, draws our flow graph, and its menus have our conversation filters, our questions and our objects.
What a click shows is exported and compared with the capture; Wireshark must end well and complain of nothing.
The keys are those of Wireshark 4.0, whose menus others do not have: skipped there, and where a program is
missing. Q2P_GUI_SHOTS=FOLDER keeps a picture of each window (ImageMagick)."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

from dissect import PCAPS, ROOT, tshark

SKIP = 77
SECONDS_MAX = 60  # for a window to come
PROGRAMS = ["wireshark", "Xvfb", "xdotool", "openbox"]
CAPTURE = PCAPS / "recorded/upstream-options-nat-loss.pcapng"
SELECTED = 12  # a frame of transmission 0
MAIN = "seen.pcapng"
# Keys in the menus of 4.0. Going up from the first entry leads to the last one.
EXPORT = ["alt+f", *["Down"] * 7, "Return"]
OBJECTS = ["alt+f", *["Up"] * 3, "Right", *["Up"] * 3, "Return"]
WINDOWS = {"Q2P Hole Punches": ["alt+s", *["Down"] * 11, "Return"],
           "Q2P Transmissions": ["alt+s", *["Down"] * 12, "Return"],
           "Q2P Datagrams": ["alt+s", "Up", "Return"],
           "Expert Information": ["alt+a", "Up", "Return"]}
FLOW = ["alt+s", *["Up"] * 12, "Return"]
CONVERSATION = ["alt+a", *["Down"] * 5, "Right"]
TOOLS = ["alt+t", "Up", "Right"]
# what is chosen -> keys, and a filter of another kind that shows the same
FILTERS = {
    "Conversation Filter > Q2P transmission": ([*CONVERSATION, "Up", "Up", "Return"], "q2p.hash[0:3] == b2:66:a3"),
    "Conversation Filter > Q2P talk": (
        [*CONVERSATION, "Up", "Return"], "udp.port == 10001 && udp.port == 10002"),
    "Tools > Q2P > Hole punches": ([*TOOLS, "Return"], "q2p.event <= 6"),
    "Tools > Q2P > Complete transmissions": ([*TOOLS, *["Down"] * 3, "Return"], "q2p.duration"),
    "Tools > Q2P > Losses": ([*TOOLS, *["Down"] * 5, "Return"], "q2p.event == 11 || frame.number > 40")}
HARMLESS = re.compile(r"nl80211|QXcbConnection|XDG_RUNTIME_DIR|libGL|MESA|QStandardPaths|Running as user")


class Gui:
    """Wireshark with a capture of its own, a window manager and a screen."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        read, write = os.pipe()
        self.start(["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x950x24", "-nolisten", "tcp", "-ac"],
                   pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as said:
            self.environment = dict(os.environ, DISPLAY=":" + said.readline().strip())
        for name in ("config/profiles", "run", "none"):
            (folder / name).mkdir(parents=True)
        shutil.copytree(ROOT / "dissector/profile/Q2P", folder / "config/profiles/Q2P")
        shutil.copy(CAPTURE, folder / MAIN)
        (folder / "run").chmod(0o700)
        folder.chmod(0o777)  # whoever Wireshark is, it writes here
        self.environment.update(
            Q2P_PROGRAM="wireshark", HOME=str(folder), XDG_RUNTIME_DIR=str(folder / "run"), LC_ALL="C.UTF-8",
            WIRESHARK_CONFIG_DIR=str(folder / "config"), WIRESHARK_EXTCAP_DIR=str(folder / "none"))
        self.start(["openbox"])
        self.log = open(folder / "log", "w+", encoding="utf-8")
        self.wireshark = self.start(
            [str(ROOT / "dissector/tshark.sh"), "-C", "Q2P", "-g", str(SELECTED), "-z", "q2p,srt", "-r",
             str(folder / MAIN)], stdout=self.log, stderr=self.log)
        self.main = None

    def start(self, command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more):
        environment = getattr(self, "environment", None)
        self.processes.append(subprocess.Popen(command, env=environment, stdout=stdout, stderr=stderr, **more))
        return self.processes[-1]

    def end(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()

    def do(self, *words):
        done = subprocess.run(["xdotool", *map(str, words)], env=self.environment, capture_output=True,
                              text=True, check=False)
        return done.stdout.strip()

    def until(self, what, found):
        """The first result that is something; a picture of what is there instead, if there is none."""
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline:
            if self.wireshark.poll() is not None:
                raise RuntimeError(f"{what}: Wireshark has ended with {self.wireshark.returncode}")
            if (result := found()):
                return result
            time.sleep(0.1)
        self.shoot("failed")
        raise RuntimeError(f"{what}: not within {SECONDS_MAX} s; there are: {', '.join(self.names())}")

    def names(self):
        return [self.do("getwindowname", window) for window in
                self.do("search", "--onlyvisible", "--name", ".").split()]

    def window(self, name):
        """Waits for the window, brings it to the front, gives back what it is called there."""
        found = self.until(name, lambda: self.do("search", "--onlyvisible", "--name", name).split())
        self.front(found[-1])
        return found[-1]

    def front(self, window):
        def is_active():
            self.do("windowactivate", window)
            time.sleep(0.2)
            return self.do("getactivewindow") == window
        self.until(f"window {window} in front", is_active)

    def choose(self, keys, name):
        """Chooses from the main menu; waits for the window that it opens, if it opens one."""
        self.front(self.main)
        self.do("key", "--delay", 60, *keys)
        return self.window(name) if name else None

    def save_as(self, name, dialog):
        """In that dialog, which wants the name of a file; once more where it has offered another instead."""
        path, tried = self.folder / name, 0

        def is_there():
            nonlocal tried
            if path.exists() and path.stat().st_size > 0:
                return True
            if time.monotonic() > tried + 5 and self.do("getactivewindow") == dialog:
                self.do("key", "ctrl+a")
                self.do("type", str(path))
                self.do("key", "Return")
                tried = time.monotonic()
            return False
        self.until(f"the file {name}", is_there)
        return path

    def shoot(self, name):
        folder = os.environ.get("Q2P_GUI_SHOTS")
        if folder and shutil.which("import"):
            subprocess.run(["import", "-window", "root", f"{folder}/{name}.png"], env=self.environment, check=True)


def times(capture, *args):
    return tshark(["-2", "-r", str(capture), "-T", "fields", "-e", "frame.time_epoch", *args]).split()


def close(gui, window):
    gui.front(window)
    gui.do("key", "Escape")
    gui.until("closing", lambda: window not in gui.do("search", "--onlyvisible", "--name", ".").split())


def begin(gui):
    times = gui.window("Q2P Service Response Time")
    gui.shoot("Response Times")
    close(gui, times)
    gui.main = gui.window(f"^({MAIN}|capture)")  # the name of a copy for nobody
    gui.do("windowsize", gui.main, 1390, 900)
    gui.do("windowmove", gui.main, 0, 20)


def check_filters(gui):
    """What is left after a click is what another filter selects, and not all of it."""
    everything = times(CAPTURE)
    for number, (title, (keys, same)) in enumerate(FILTERS.items()):
        wanted = times(CAPTURE, "-Y", same)
        gui.choose(keys, None)
        dialog = gui.choose(EXPORT, "Export Specified Packets")
        shown = times(gui.save_as(f"{number}.pcapng", dialog))
        gui.front(gui.main)
        gui.shoot(title)
        if shown != wanted or not wanted or len(wanted) == len(everything):
            yield f"{title} shows {len(shown)} of {len(everything)} frames, not {len(wanted)}: {shown}"


def pages(pdf):
    """What is drawn, without what stands around it: the name of the program, the date."""
    parts = re.findall(rb"stream\r?\n(.*?)endstream", pdf.read_bytes(), re.S)
    return [zlib.decompressobj().decompress(part) for part in parts if part.startswith(b"\x78")]


def check_windows(gui):
    for name, keys in WINDOWS.items():
        window = gui.choose(keys, name)
        gui.shoot(name)
        close(gui, window)
    drawn = []
    for flows in ("All", "Q2P"):
        graph = gui.choose(FLOW, "· Flow ·")
        gui.do("key", "--delay", 60, "Tab", "Tab")
        gui.do("type", flows)
        gui.shoot(f"{flows} Flows")
        gui.front(graph)
        gui.do("key", "alt+e")
        drawn.append(gui.save_as(f"{flows}.pdf", gui.window("Save Graph As")))
        close(gui, graph)
    if not pages(drawn[0]) or pages(drawn[0]) == pages(drawn[1]):
        yield "the flow graph has no flows of Q2P"
    objects = gui.choose(OBJECTS, "Export · Q2P object list")
    gui.shoot("Export Objects")
    close(gui, objects)


def check_end(gui):
    gui.front(gui.main)
    gui.do("key", "ctrl+q")
    try:
        code = gui.wireshark.wait(SECONDS_MAX)
    except subprocess.TimeoutExpired:
        gui.shoot("failed")
        yield f"Wireshark does not end; there are: {', '.join(gui.names())}"
        return
    gui.log.seek(0)
    complaints = [line for line in gui.log if line.strip() and not HARMLESS.search(line)]
    if code != 0 or complaints:
        yield f"Wireshark ends with {code}: {''.join(complaints)}"


def why_not():
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} missing"
    version = re.search(r"(\d+\.\d+)\.", tshark(["--version"]))
    return None if version and version[1] == "4.0" else f"its keys are those of 4.0, this is {version and version[1]}"


def main():
    if (reason := why_not()):
        print(f"skipped: {reason}")
        sys.exit(SKIP)
    with tempfile.TemporaryDirectory() as folder:
        gui = Gui(Path(folder))
        try:
            begin(gui)
            complaints = [*check_filters(gui), *check_windows(gui), *check_end(gui)]
        except RuntimeError as error:
            gui.log.seek(0)
            complaints = [f"{error}\n{gui.log.read()}"]
        finally:
            gui.end()
    print("\n".join(complaints))
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
