#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_networks.py: the table of networks (uat:q2p_networks) names a network wherever its number stands, and
says which dissector reads what it carries; Decode As says it, too. A payload is read where it is complete,
once, in one pass and in two, and whatever its dissector makes of it, what we say stays."""
import re
import sys

from dissect import PCAPS, rows, tshark

CAPTURE = PCAPS / "crafted/a-network-that-carries-json.pcapng"
COMPLETE = 3  # the frame
SEEN = ["_ws.col.Protocol", "_ws.col.Info", "frame.protocols", "q2p.network.name", "q2p.role", "json.key[]",
        "_ws.malformed"]


def table(*row):
    return ["-o", "uat:q2p_networks:" + ",".join(f'"{cell}"' for cell in row)]


def look(args, passes=1):
    return list(rows(CAPTURE, SEEN, passes, args))


def check_names():
    shown = look(table(7, "testnet"))
    if [row["q2p.network.name"] for row in shown] != ["testnet"] * 4:
        yield f"the network has no name: {shown}"
    if shown[0]["_ws.col.Info"] != "JOIN: joins network 7 (testnet)" or any(row["json.key"] for row in shown):
        yield f"the sentence is {shown[0]['_ws.col.Info']}"
    counts = ["-q", "-r", str(CAPTURE), "-z", "q2p,tree", "-z", "q2p,transmissions"]
    if tshark(counts + table(7, "testnet")).count("7 (testnet)") != 2:
        yield "the statistics do not name the network"
    if "testnet" in tshark(counts + table(8, "testnet")):
        yield "the name of another network is taken"


def check_json(how, args):
    for passes in (1, 2):
        shown = look(args, passes)
        readers = [number for number, row in enumerate(shown, 1) if row["json.key"]]
        last = shown[COMPLETE - 1]
        if readers != [COMPLETE] or last["json.key"] != ["from", "numbers"]:
            yield f"{how}, {passes} passes: json in the frames {readers}: {last['json.key']}"
        if not last["frame.protocols"].endswith(":q2p:json") or last["_ws.col.Protocol"] != "Q2P/JSON":
            yield f"{how}, {passes} passes: {last['frame.protocols']}, {last['_ws.col.Protocol']}"
        if not re.match(r"TRANSPORT fragment 1 of 2 .*, complete \| J", last["_ws.col.Info"]):
            yield f"{how}, {passes} passes: {last['_ws.col.Info']}"


def check_wrong_reader():
    """DNS throws an exception at these data; UDP would have ports of its own."""
    counts = ["-q", "-r", str(CAPTURE), "-z", "q2p,tree", "-z", "flow,q2p,standard"]
    plain, counted = look([], 2), tshark(counts)
    for reader in ("dns", "udp", "q2p"):
        shown = look(table(7, "", reader), 2)
        if f":q2p:{reader}" not in shown[COMPLETE - 1]["frame.protocols"]:
            yield f"{reader} has not been asked"
        if reader == "dns" and not shown[COMPLETE - 1]["_ws.malformed"]:
            yield "DNS takes JSON"
        for before, row in zip(plain, shown):
            if not row["_ws.col.Info"].startswith(before["_ws.col.Info"]) or before["q2p.role"] != row["q2p.role"]:
                yield f"{reader} changes what we say: {row}"
        if reader == "udp" and tshark(counts + table(7, "", reader)) != counted:
            yield f"{reader} changes the statistics"


def check_refused():
    for row in ((70000, "testnet", ""), (7, "", "nix")):
        if tshark(["-r", str(CAPTURE), *table(*row)], check=False):
            yield f"the row {row} is taken"


def check_filter():
    """The payload is read also where nobody looks at Q2P itself."""
    if len(tshark(["-r", str(CAPTURE), "-Y", "json.key", *table(7, "", "json")]).splitlines()) != 1:
        yield "a filter for json finds nothing"


def main():
    complaints = [*check_names(), *check_json("by table", table(7, "testnet", "json")),
                  *check_json("Decode As, before the table", table(7, "", "xml") + ["-d", "q2p.network==7,json"]),
                  *check_filter(), *check_wrong_reader(),
                  *check_refused()]
    for text in complaints:
        print(text)
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
