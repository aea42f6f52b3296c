#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_taps.py CAPTURE...: the statistics, streams, files and graphs that Wireshark makes of a recording,
compared with pcaps/recorded/truth.json. sharkd gives what the windows of Wireshark would show; TShark's own
options are tried on one of them."""
import base64
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import run_stories
from dissect import PCAPS, ROOT, endpoint, rows, tshark

TAPS = ["expert", "stat:q2p", "nstat:q2p,transmissions", "nstat:q2p,punches", "srt:q2p", "conv:Q2P",
        "endpt:Q2P", "seqa:q2p", "eo:q2p"]
STRAY = "Trailing stray characters,"  # Wireshark's, of a text with a NUL; no window has it
NODES_MAX = 40  # of a flow graph, in Wireshark
PRINTED = {"q2p,tree": r" TRANSPORT +30 ", "q2p,transmissions": r"\|8000 \|17 \|0 \|complete \|",
           "q2p,punches": r"\n0 \|203\.0\.113\.102:10002 .*\|CONNECTED \|",
           "q2p,srt": r"JOIN to CONNECTED +1 ", "conv,q2p": r"203\.0\.113\.102 +<-> 203\.0\.113\.101",
           "endpoints,q2p": r"Q2P Endpoints\n.*\n.*\n203\.0\.113\.101 +41 ",
           "flow,q2p,standard": r"\| CONNECTED|CONNECTED +\|", "follow,q2p,hex,0": r"\n00000000  f9 05 "}


class Sharkd:
    """A session with one capture. A copy of it is read that anybody may open, whoever sharkd is."""

    def __init__(self, capture, folder):
        copy = Path(folder) / capture.name
        shutil.copy(capture, copy)
        os.chmod(folder, 0o755)
        environment = dict(os.environ, Q2P_PROGRAM="sharkd", WIRESHARK_CONFIG_DIR=folder,
                           LC_ALL="C.UTF-8", TZ="UTC")
        self.process = subprocess.Popen([str(ROOT / "dissector/tshark.sh"), "-"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, env=environment)
        self.count = 0
        self.ask("load", file=str(copy))

    def ask(self, method, **params):
        self.count += 1
        request = {"jsonrpc": "2.0", "id": self.count, "method": method, "params": params}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("{"):
                answer = json.loads(line)
                if "result" in answer:
                    return answer["result"]
                sys.exit(f"sharkd: {request}: {answer['error']}")
        sys.exit(f"sharkd: {request}: exit code {self.process.wait()}")

    def end(self):
        self.ask("bye")
        if (code := self.process.wait()) != 0:
            sys.exit(f"sharkd: exit code {code}")


def table(tap):
    columns = [field["c"] for field in tap["fields"]]
    return [dict(zip(columns, row)) for row in tap["tables"][0]["i"]]


def read(capture):
    with tempfile.TemporaryDirectory() as folder:
        session = Sharkd(capture, folder)
        shown = {name: session.ask("tap", tap0=name)["taps"][0] for name in TAPS}
        shown["files"] = [base64.b64decode(session.ask("download", token=one["_download"])["data"])
                          for one in shown["eo:q2p"].get("objects", [])]
        shown["streams"] = []
        for row in table(shown["nstat:q2p,transmissions"]):
            stream = session.ask("follow", follow="Q2P",
                                 filter=f"q2p.transmission == {row['Transmission']}")
            shown["streams"].append(b"".join(base64.b64decode(part["d"])
                                             for part in stream.get("payloads", [])))
        session.end()
    return shown


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def check_transmissions(truth, shown):
    rows = table(shown["nstat:q2p,transmissions"])
    for row, stream in zip(rows, shown["streams"]):
        row["stream"] = sha256(stream)
    for true in truth["transmissions"]:
        name = tuple(true[part] for part in ("src", "dst", "key"))
        mine = [row for row in rows if (row["Sender"], row["Receiver"], row["Key"]) == name]
        rows = [row for row in rows if row not in mine]
        if len(mine) != (true["times_sent"] if true["on_wire"] else 0):
            yield f"{name}: sent {true['times_sent']} times, {len(mine)} rows"
        for row in mine:
            if (row["Verdict"] == "complete") != true["complete"]:
                yield f"{name}: complete is {true['complete']}, the row says {row['Verdict']}"
            if true["complete"] and row["Bytes"] != true["size"]:
                yield f"{name}: {true['size']} bytes, the row says {row['Bytes']}"
            if true["complete"] and row["stream"] != true["payload_sha256"]:
                yield f"{name}: what follows one another is not what was sent"
            missing = true.get("missing_at_receiver")
            if not true["complete"] and missing is not None and row["Missing"] != len(missing):
                yield f"{name}: {len(missing)} missing, the row says {row['Missing']}"
    if "malformed" not in truth:
        for row in rows:
            yield f"nobody sent {row}"


def check_files(truth, shown):
    true = Counter()
    for one in truth["transmissions"]:
        true[one["payload_sha256"]] += one["times_sent"] if one["complete"] else 0
    found = Counter(map(sha256, shown["files"]))
    if "malformed" not in truth and +true != found:
        yield f"{sum(true.values())} files were sent, {sum(found.values())} exported, others"


def check_punches(truth, shown):
    rows = table(shown["nstat:q2p,punches"])
    found = sorted({tuple(sorted((row["Newcomer"], row["Known peer"])))
                    for row in rows if row["Reached"] == "CONNECTED"})
    true = sorted(tuple(sorted(pair)) for pair in truth["peers_connected"])
    if found != true:
        yield f"connected pairs are {true}, the table says {found}"
    for row in rows:
        if (row["Reached"] == "CONNECTED") == bool(row["Why no further"]):
            yield f"the row does not say why it stopped: {row}"
        if row["Reached"] == "CONNECTED" and float(row["Seconds"]) <= 0:
            yield f"the row does not say how long it took: {row}"


def check_counts(truth, shown):
    tree = {node["name"]: node for node in shown["stat:q2p"]["stats"]}
    events = {node["name"]: node["count"] for node in tree.get("Events", {}).get("sub", [])}
    total = sum(events.values())
    counted = truth.get("events_counted_by_lab_parser", {})
    comparable = "malformed" not in truth and truth["dialect"] != "mixed"  # else counted otherwise
    if comparable and truth.get("cross_check") == "agrees" and events != counted:
        yield f"the events are {counted}, the tree has {events}"
    for kind in ("Dialects", "Network IDs", "Roles", "Well-formed"):
        if (found := tree.get(kind, {"count": 0})["count"]) != total:
            yield f"{total} datagrams, but {found} {kind}"
    talks = sum(talk["rxf"] + talk["txf"] for talk in shown["conv:Q2P"]["convs"])
    sent = sum(host["txf"] for host in shown["endpt:Q2P"]["hosts"])
    received = sum(host["rxf"] for host in shown["endpt:Q2P"]["hosts"])
    if not total == talks == sent == received:
        yield f"{total} datagrams, {talks} in conversations, {sent} and {received} at endpoints"
    calls = {row["n"]: row["num"] for row in shown["srt:q2p"]["tables"][0]["r"]}
    done = sum(row["Verdict"] == "complete" for row in table(shown["nstat:q2p,transmissions"]))
    if calls.get("First message to last missing fragment", 0) != done:
        yield f"{done} complete transmissions, response times of {calls}"


def check_graph(shown):
    graph = shown["seqa:q2p"]
    hosts = {endpoint(host["host"], host["filter"].split("udp.port==")[1])
             for host in shown["endpt:Q2P"]["hosts"]}
    if len(hosts) <= NODES_MAX and set(graph["nodes"]) != hosts:
        yield f"the columns of the flow graph are {graph['nodes']}, the nodes {sorted(hosts)}"
    total = sum(host["txf"] for host in shown["endpt:Q2P"]["hosts"])
    if len(graph["flows"]) != total:
        yield f"{total} datagrams, {len(graph['flows'])} arrows"
    for arrow in graph["flows"]:
        if not arrow["c"]:
            yield f"an arrow says nothing: {arrow}"
            break


def check_expert(capture, shown):
    """The window of expert items has what the frames have, and in their order."""
    found, names = {}, ["frame.number", "q2p.event.name", "_ws.expert.message"]
    for one in reversed(shown["expert"].get("details", [])):
        found.setdefault(str(one["f"]), []).append(one["m"])
    for row in rows(capture, names, passes=2):
        messages = ",".join(found.pop(row["frame.number"], []))
        if messages != row["_ws.expert.message"].replace(STRAY, ""):
            yield f"frame {row['frame.number']}: '{messages}' in the window of expert items"
    if found:
        yield f"expert items of no frame: {found}"


def check_printed():
    """TShark's way to the same, in one pass and in two."""
    capture = PCAPS / "recorded/upstream-options-nat-loss.pcapng"
    options = [word for option in PRINTED for word in ("-z", option)]
    for passes in ([], ["-2"]):
        printed = tshark(["-q", "-n", *passes, "-r", str(capture), *options])
        for option, expected in PRINTED.items():
            if not re.search(expected, printed):
                yield f"tshark {' '.join(passes)} -z {option} prints\n{printed}"
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        tshark(["-q", "-n", "-r", str(capture), "--export-objects", f"q2p,{folder}"])
        sizes = sorted(path.stat().st_size for path in Path(folder).iterdir())
    if sizes != [6000, 8000]:
        yield f"tshark --export-objects writes files of {sizes} bytes"


def check_any_order():
    """What follows one another is in order however it came, each fragment once."""
    data, dice = bytes(range(256)) * 300, random.Random(1)
    order = list(range(len(data) // 484 + 1)) * 2
    dice.shuffle(order)
    with tempfile.TemporaryDirectory() as folder:
        story = [(run_stories.TO, run_stories.piece(syn, data[syn * 484:][:484], len(data)), None, {})
                 for syn in order]
        capture = run_stories.write(story, folder)
        for passes in ([], ["-2"]):
            printed = tshark(["-q", "-n", *passes, "-r", str(capture), "-z", "follow,q2p,raw,0"])
            lines = [line.strip() for line in printed.splitlines()]
            if bytes.fromhex("".join(line for line in lines if re.fullmatch("[0-9a-f]+", line))) != data:
                yield f"tshark {' '.join(passes)} -z follow,q2p,raw,0 is out of order"


def main():
    truths = json.loads((PCAPS / "recorded/truth.json").read_text())["captures"]
    by_file = {truth["file"]: truth for truth in truths}
    failed = False

    # Wireshark's own programs leak a few bytes for each -z, whatever it is.
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
    for text in [*check_printed(), *check_any_order()]:
        failed = True
        print(text)
    for capture in map(Path, sys.argv[1:]):
        truth, shown = by_file[capture.name], read(capture)
        for text in [*check_transmissions(truth, shown), *check_files(truth, shown),
                     *check_punches(truth, shown), *check_counts(truth, shown),
                     *check_graph(shown), *check_expert(capture, shown)]:
            failed = True
            print(f"{capture.name}: {text}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
