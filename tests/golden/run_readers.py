#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_readers.py CAPTURE...: three readers, one truth. Each datagram as the dissector, `q2p decode` and the
Scapy layer read it, field by field; each transmission, connected pair and malformed datagram as the
dissector and `q2p check` conclude. The Scapy layer knows nothing of our codec."""
import os
import re
import sys
from pathlib import Path

from dissect import rows
from run_replay import Q2P as PROGRAM, q2p
from run_truth import FIELDS as CONCLUSIONS, gather

os.environ.setdefault("Q2P_WIRE_JSON", str(PROGRAM.parents[1] / "tests/wire.json"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scapy"))
FIELDS = ["network_id", "event", "hash", "length", "syn", "address", "reason", "lost", "trailing"]
HEURISTIC = ["--enable-heuristic", "q2p_udp"]  # q2p check knows a node whatever its port
DIALECTS = ("early", "classic", "options")
ERRORS = ["short", "cut", "unknown", "length", "oversize", "address", "empty", "syn", "share",
          "list"]


def by_dissector(capture):
    """Frame -> what the dissector shows of it, when it knows all; and what it concludes."""
    wanted = ["frame.number", "frame.interface_name", "udp.payload", "q2p.dialect", *(
        f"q2p.{name}" for name in FIELDS if name != "lost"), "q2p.lost[]",
        *(f"q2p.err.{name}" for name in ERRORS)]
    wanted.append("q2p.expert.misfit")
    wanted += [name for name in CONCLUSIONS if name not in wanted]
    found, all_rows = {}, list(rows(capture, wanted, 2, HEURISTIC))
    for row in all_rows:
        if not row["q2p.event.name"] and not row["q2p.err.short"]:
            continue
        one = {name: row[f"q2p.{name}"] for name in FIELDS if row[f"q2p.{name}"]}
        one["lost"] = [int(syn) for syn in row["q2p.lost"]]
        one["name"], one["dialect"] = row["q2p.event.name"], row["q2p.dialect"]
        one["status"] = {name for name in ERRORS if row[f"q2p.err.{name}"]}
        one["misfit"] = row["q2p.expert.misfit"]
        one["bytes"] = row["udp.payload"].split(",")[0]
        found[int(row["frame.number"])] = one
    return found, all_rows


def conclude(all_rows, named):
    """Transmissions and pairs, each at its interface."""
    sent, pairs = [], []
    for name in sorted({row["frame.interface_name"] if named else "" for row in all_rows}):
        seen = [row for row in all_rows if not named or row["frame.interface_name"] == name]
        transmissions_here, pairs_here = gather(seen)
        sent += [one | {"interface": name} for one in transmissions_here]
        pairs += [[name, *sorted(pair)] for pair in pairs_here]
    return sent, sorted(pairs)


def by_program(capture):
    found = {}
    for item in q2p("decode", "--json", capture, codes=(0, 3)):
        if item["type"] != "message":
            continue
        one = {field["name"]: field.get("value") for field in item["fields"]}
        one.update(name=item["event"], dialect=item["dialect"],
                   status=item["status"].removeprefix("ERR_").lower())
        found[item["frame"]] = one
    return found


def by_scapy(data, dialect):
    import q2p as layer  # tests/scapy, once the path is set

    with layer.speak(dialect):
        one = {"status": layer.fault(data).removeprefix("ERR_").lower()}
        if len(data) < layer.WIRE["header_len"]:
            return one | {"name": "UNKNOWN"}
        message = layer.Q2P(data)
        one.update(network_id=message.network_id, event=message.event, name=message.event_name())
        for name in ("hash", "length", "syn", "lost", "address", "reason"):
            if name in message.payload.fields and message.payload.fields[name] is not None:
                one[name] = message.payload.fields[name]
    return one


def plain(name, value):
    """One spelling for a value, whoever gives it."""
    if value is None or value in ("", b"", []):
        return ""
    if name == "hash":
        return value.hex() if isinstance(value, bytes) else value.replace(":", "")
    if name == "lost":
        return list(value)
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    if name in ("address", "reason"):  # TShark ends a text at a NUL, and escapes what cannot be shown
        text = re.split(r"[^ -\[\]-~]", text)[0]
    return text


def status_of(errors):
    return errors or {"ok"}


def differences(shown, other, who, names):
    """Where another reader of the same datagram sees something else than the dissector."""
    for name in names:
        mine, theirs = plain(name, shown.get(name)), plain(name, other.get(name))
        if mine != theirs:
            yield f"{name} is {mine!r} to the dissector, {theirs!r} to {who}"
    if other["status"] not in status_of(shown["status"]):
        yield f"wrong is {sorted(shown['status'])} to the dissector, {other['status']} to {who}"


def datagrams(shown, decoded):
    for frame, mine in shown.items():
        mine["name"] = mine["name"] or "UNKNOWN"
        if "cut" in mine["status"]:
            continue  # Scapy sees whole datagrams
        theirs = decoded.get(frame)
        dialect = mine["dialect"]
        if dialect not in DIALECTS:
            dialect = theirs["dialect"] if theirs else "classic"
        scapy = by_scapy(bytes.fromhex(mine["bytes"]), dialect)
        names = ["name", "hash", "length", "syn", "lost", "address", "reason"]
        if scapy["status"] == "short" or mine["name"] == "UNKNOWN":
            names = ["name"]  # how much of a short message is shown is each reader's own affair
        yield from (f"frame {frame}: {text}" for text in
                    differences(mine, scapy, "Scapy", [*names, "network_id", "event"]
                                if len(mine["bytes"]) >= 8 else names))
        if theirs and theirs["dialect"] == dialect:
            yield from (f"frame {frame}: {text}" for text in
                        differences(mine, theirs, "q2p decode", names))


def transmissions(concluded, checked):
    told, unheard = [], set()
    for one in checked:
        if one["type"] not in ("transmission", "orphan"):
            continue
        name = one.get("interface", ""), one["src"], one["dst"], one["hash"]
        verdict = one.get("verdict", one["type"])
        if verdict in ("orphan", "foreign-network", "unheard"):
            unheard.add(name)  # then what is missing is a matter of taste
        told.append((*name, verdict, one.get("complete", False), one.get("sha256") or "",
                     [] if name in unheard else one["missing"]))
    seen = []
    for one in concluded:
        name = one["interface"], one["src"], one["dst"], one["key"]
        seen.append((*name, one["verdict"], one["complete"], one.get("sha256") or "",
                     [] if name in unheard else sorted(one["missing"])))
    yield from (f"only the dissector sees {mine}" for mine in seen if mine not in told)
    yield from (f"only q2p check sees {theirs}" for theirs in told if theirs not in seen)


def malformed(shown, decoded, checked):
    """In the same dialect, the same is wrong; and what is wrong in its dialect, Scapy says as well."""
    told = {one["frame"]: one for one in checked if one["type"] == "malformed"}
    for frame, mine in shown.items():
        theirs = told.get(frame, {})
        status = theirs.get("status", "OK").removeprefix("ERR_").lower()
        dialect = theirs.get("dialect") or decoded.get(frame, {}).get("dialect", "classic")
        if mine["misfit"] and status in ("share", "syn") or "cut" in mine["status"]:
            continue
        if mine["dialect"] not in DIALECTS or dialect == mine["dialect"]:
            wrong = status_of(mine["status"])
        else:
            wrong = {by_scapy(bytes.fromhex(mine["bytes"]), dialect)["status"]}
        if status not in wrong and not (mine["dialect"] not in DIALECTS and theirs and status in {
                by_scapy(bytes.fromhex(mine["bytes"]), dialect)["status"]}):
            yield f"frame {frame}: wrong is {sorted(wrong)}, to q2p check {status} ({dialect})"
    for frame in set(told) - set(shown):
        if told[frame]["bytes"]:
            yield f"frame {frame}: malformed to q2p check, no Q2P to the dissector"


def conclusions(concluded, shown, decoded, checked):
    """Transmissions, pairs and malformed datagrams: the dissector's against those of `q2p check`."""
    yield from transmissions(concluded[0], checked)
    theirs = sorted([one.get("interface", ""), *sorted((one["a"], one["b"]))] for one in checked
                    if one["type"] == "connected")
    if concluded[1] != theirs:
        yield f"connected are {concluded[1]} to the dissector, {theirs} to q2p check"
    yield from malformed(shown, decoded, checked)


def main():
    failed = False
    for capture in map(Path, sys.argv[1:]):
        shown, all_rows = by_dissector(capture)
        checked = q2p("check", "--json", capture, codes=(0, 3))
        concluded = conclude(all_rows, any("interface" in one for one in checked))
        decoded = by_program(capture)
        complaints = [*datagrams(shown, decoded), *conclusions(concluded, shown, decoded, checked)]
        for complaint in complaints:
            failed = True
            print(f"{capture.name}: {complaint}")
        if not shown:
            failed = True
            print(f"{capture.name}: the dissector sees no Q2P in it")
    sys.exit(failed)


if __name__ == "__main__":
    main()
