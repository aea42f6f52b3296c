#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run_stories.py [NAME...]: short captures made by hand, one for each thing that the plugin can say beside the
plain fields. Each frame has exactly the expert items it is given here, and the fields."""
import json
import struct
import sys
import tempfile
from hashlib import md5
from pathlib import Path

from dissect import rows

KEY, OTHER = bytes(range(16)), bytes(range(1, 17))
FULL = b"\xa5" * 484
NUMBERS = {  # event -> number in early, classic, options
    "JOIN": (0, 0, 0), "TOUCHREQUEST": (1, 1, 1), "TOUCH": (2, 2, 2), "TOUCHED": (3, 3, 3), "CONNECTREQUEST": (4, 4, 4),
    "CONNECT": (5, 5, 5), "CONNECTED": (6, 6, 6), "CONNECT_FAILED": (None, 7, 7),
    "OPTIONS": (None, None, 8), "OPTIONSFEEDBACK": (None, None, 9), "TRANSPORT": (7, 8, 10),
    "TRANSPORT_FAILED": (8, 9, 11), "TEST": (9, 10, 12)}
EARLY, CLASSIC, OPTIONS = range(3)
SEED, ANN, BOB = ("203.0.113.1", 10000), ("203.0.113.2", 20001), ("203.0.113.3", 20002)
SEED2 = ("203.0.113.9", 10000)
ANN_MOVED, BOB_MOVED = (ANN[0], 31001), (BOB[0], 31002)
FULL_UP = "ignored: its table may be full, or it does not trust the seed"
LOST = "lost, or not to be seen from here"
FILTERED = "filtered: a NAT lets nothing through for this address"
FOREIGN = "refused: they belong to different networks"
V6 = ("2001:db8::2", 20003)


def message(event, dialect=CLASSIC, body=b"", network=0):
    number = event if isinstance(event, int) else NUMBERS[event][dialect]
    return struct.pack("<HH", network, number) + body


def piece(syn, body, length, key=KEY, dialect=CLASSIC, network=0):
    sizes = struct.pack("<I", syn) if dialect == OPTIONS else struct.pack("<II", length, syn)
    return message("TRANSPORT", dialect, key + sizes + body, network)


def lost(*syns, key=KEY, dialect=CLASSIC):
    return message("TRANSPORT_FAILED", dialect, key + struct.pack(f"<{len(syns)}I", *syns))


def start(length, key=KEY):
    return message("OPTIONS", OPTIONS, key + struct.pack("<I", length))


def text(node):
    return f"{node[0]}:{node[1]}"


def name(node):
    return text(node).encode()


def touch(node):
    return message("TOUCHREQUEST", body=name(node))


def asks(length, state, token):
    return message("OPTIONS", OPTIONS, KEY + struct.pack("<IBH", length, state, token))


def answers(state, token, received):
    return message("OPTIONSFEEDBACK", OPTIONS, KEY + struct.pack("<BHI", state, token, received))


READY = message("OPTIONSFEEDBACK", OPTIONS, KEY)
REFUSED = message("CONNECT_FAILED", CLASSIC, b"Dismatch networking version")
JSON = json.dumps({"from": "ann", "numbers": list(range(150))}).encode()
A, B, C = piece(0, FULL, 1000), piece(1, FULL, 1000), piece(2, b"z" * 32, 1000)
AGAIN = piece(1, FULL, 0)
TO_SEED = md5(FULL + b"z" + text(SEED).encode()).digest()
TO, FROM = (ANN, SEED), (SEED, ANN)

# name: [((from, to), datagram, {expert items}, {field: value})...]; as seen in two passes; info: part of the column
STORIES = {
    "a_punch_from_join_to_connected": [
        ((BOB, SEED), message("JOIN"), "", {"punch": "0", "punch.count": "1", "punch.next": "2",
                                            "punch.state": "CONNECTED"}),
        ((SEED, ANN), touch(BOB), "", {"punch.step": "2", "punch.previous": "1",
                                       "punch.step.time": "1.000000000"}),
        ((ANN, BOB), message("TOUCH"), "", {"punch.next": "4", "punch.newcomer": text(BOB)}),
        ((ANN, SEED), message("TOUCHED", body=name(BOB)), "", {"punch.step.time": "2.000000000"}),
        ((SEED, BOB), message("CONNECTREQUEST", body=name(ANN)), "", {"punch.seed": text(SEED)}),
        ((BOB, ANN), message("CONNECT"), "", {"punch.known": text(ANN), "punch.connected.in": "7"}),
        ((ANN, BOB), message("CONNECTED"), "", {"punch.time": "6.000000000", "punch.next": ""}),
        ((ANN, BOB), message("CONNECT"), "punch_again", {"punch": "0", "punch.first": "6"}),
        ((BOB, ANN), message("CONNECTED"), "punch_again", {"punch": "0", "punch.verdict": ""})],
    "a_seed_asks_who_joins": [
        ((BOB, SEED), message("JOIN"), "", {"punch": "0", "punch.known": text(SEED), "punch.next": "2"}),
        ((SEED, BOB), message("CONNECT"), "", {"punch.newcomer": text(BOB), "punch.seed": text(SEED)}),
        ((BOB, SEED), message("CONNECTED"), "", {"punch": "0", "punch.time": "2.000000000"}),
        ((ANN, SEED), message("JOIN"), "", {"punch": "1", "punch.count": "1"}),
        ((SEED, ANN), message("CONNECT"), "half_open punch_stopped",
         {"punch.wanted": "CONNECTED", "punch.verdict": LOST})],
    "two_seeds_make_two_punches_of_one_pair": [
        ((SEED, ANN), touch(BOB), "", {"punch": "0"}),
        ((SEED2, ANN), touch(BOB), "", {"punch": "1"}),
        ((ANN, BOB), message("TOUCH"), "", {"punch": "0"}),
        ((ANN, BOB), message("TOUCH"), "", {"punch": "1"}),
        ((BOB, ANN), message("CONNECT"), "", {"punch": "0"}),
        ((ANN, BOB), message("CONNECTED"), "", {"punch": "0"}),
        ((ANN, BOB), message("TOUCH"), "punch_again punch_stopped", {"punch": "1"})],
    "the_known_peer_is_full": [
        ((SEED, ANN), touch(BOB), "punch_stopped",
         {"punch.wanted": "TOUCH", "punch.verdict": FULL_UP, "punch.state": "TOUCHREQUEST"}),
        ((ANN, SEED), message("TEST"), "", {"punch": ""})],
    "the_newcomer_is_full": [
        ((SEED, BOB), message("CONNECTREQUEST", body=name(ANN)), "punch_stopped",
         {"punch.wanted": "CONNECT", "punch.verdict": FULL_UP}),
        ((BOB, SEED), message("JOIN"), "", {"punch.count": "0"})],
    "the_touch_request_is_lost": [
        ((SEED, ANN), touch(BOB), "punch_stopped", {"punch.verdict": LOST})],
    "the_answer_is_lost": [
        ((SEED, ANN), touch(BOB), "", {}),
        ((ANN, BOB), message("TOUCH"), "", {}),
        ((ANN, SEED), message("TOUCHED", body=name(BOB)), "", {}),
        ((BOB, ANN), message("CONNECT"), "half_open punch_stopped",
         {"punch.wanted": "CONNECTED", "punch.verdict": LOST})],
    "the_hole_was_never_punched": [
        ((SEED, ANN), touch(BOB), "", {}),
        ((ANN, SEED), message("TOUCHED", body=name(BOB)), "", {}),
        ((BOB, ANN), message("CONNECT"), "punch_stopped", {"punch.verdict": FILTERED})],
    "a_nat_changes_ports": [
        ((SEED, ANN), touch(BOB), "", {}),
        ((ANN_MOVED, BOB), message("TOUCH"), "moved", {"punch": "0", "punch.step": "3"}),
        ((ANN, SEED), message("TOUCHED", body=name(BOB)), "", {}),
        ((SEED, BOB), message("CONNECTREQUEST", body=name(ANN)), "", {}),
        ((BOB_MOVED, ANN), message("CONNECT"), "moved punch_stopped",
         {"punch": "0", "punch.verdict": FILTERED})],
    "a_nat_changes_ports_and_lets_all_in": [
        ((SEED, BOB), message("CONNECTREQUEST", body=name(ANN)), "", {}),
        ((BOB_MOVED, ANN), message("CONNECT"), "moved", {"punch": "0"}),
        ((ANN, BOB_MOVED), message("CONNECTED"), "", {"punch": "0", "punch.state": "CONNECTED"})],
    "a_join_of_another_network": [
        ((BOB, SEED), message("JOIN", network=7), "", {"refused.in": "2", "punch.count": "0"}),
        ((SEED, BOB), REFUSED, "mismatch", {})],
    "a_punch_between_two_networks": [
        ((SEED, ANN), touch(BOB), "", {}),
        ((ANN, BOB), message("TOUCH", network=7), "punch_stopped",
         {"punch.verdict": FOREIGN, "refused.in": "3"}),
        ((BOB, ANN), REFUSED, "mismatch", {})],
    "connected_without_asking": [
        ((SEED, ANN), message("CONNECTED"), "unasked", {"punch.seed": "", "punch.known": text(SEED)})],
    "the_touch_comes_before_its_request": [
        (((ANN[0], 10000), BOB), message("TOUCH"), "", {"punch": "0", "punch.seed": text(SEED)}),
        ((SEED, (ANN[0], 10000)), touch(BOB), "punch_stopped", {"punch": "0"})],
    "three_fragments_make_a_whole": [
        (TO, A, "", {"fragments": "3", "reassembled.in": "3"}),
        (TO, C, "", {"syn": "2"}),
        (TO, B, "", {"reassembled.length": "1000", "complete": "1", "missing.count": "0",
                     "hash.check": "cannot be told"})],
    "a_fragment_comes_twice": [
        (TO, A, "", {}), (TO, A, "duplicate", {"duplicate.of": "1"}),
        (TO, piece(0, b"\0" * 484, 1000), "conflict", {"duplicate.of": "1"}),
        (TO, B, "", {"missing": "2", "missing.count": "1", "complete": "0"})],
    "one_duplicate_after_the_end_is_no_second_sending": [
        (TO, A, "", {}), (TO, B, "", {}), (TO, C, "", {"reassembled.length": "1000"}),
        (TO, B, "duplicate", {"transmission": "0", "duplicate.of": "2", "sending": "1"})],
    "all_of_it_again_is_a_second_sending": [
        (TO, A, "", {"sending": "1"}), (TO, B, "", {}), (TO, C, "", {}),
        (TO, A, "", {"transmission": "1", "sending": "2", "reassembled.in": "6"}),
        (TO, B, "", {}), (TO, C, "", {"reassembled.length": "1000"})],
    "two_receivers_are_two_transmissions": [
        (TO, A, "", {"transmission": "0"}), ((ANN, BOB), A, None, {})],
    "too_late": [
        (TO, A, "", {}), (TO, C, "", {}), (FROM, lost(1), "", {"lost": "1"}),
        (FROM, lost(), "gave_up", {"missing": "1", "lost.count": "0"}),
        (TO, piece(1, FULL, 0), "late", {"complete": "0", "gave_up.in": "4"})],
    "resent_without_length_in_time": [
        (TO, A, "", {}), (TO, C, "", {}), (FROM, lost(1), "", {}),
        (TO, piece(1, FULL, 0), "resent",
         {"complete": "1", "reassembled.length": "1000", "asked.in": "3", "role": "retransmission"})],
    "asked_and_answered_twice": [
        (TO, A, "", {}), (TO, C, "", {"role": "first", "fragment": "3", "asked.in": ""}),
        (FROM, lost(1, 0), "asked_seen", {"answered.in": "6,5", "role": "request"}),
        (FROM, lost(1), "", {"answered.in": "6"}),
        (TO, A, "resent", {"asked.in": "3", "duplicate.of": "1", "role": "retransmission"}),
        (TO, B, "resent", {"asked.in": "4", "complete": "1"}),
        (TO, AGAIN, "duplicate", {"asked.in": "", "role": "duplicate"}),
        (FROM, lost(1), "after_complete", {"answered.in": "9"}),
        (TO, AGAIN, "resent", {"asked.in": "8", "duplicate.of": "6"})],
    "the_receiver_has_the_last_word": [
        (TO, A, "", {"verdict": "gave-up-whole"}), (TO, B, "", {}),
        (TO, C, "", {"complete": "0", "reassembled.in": "", "reassembled.length": ""}),
        (FROM, lost(1), "after_complete", {"answered.in": "5"}), (TO, AGAIN, "resent", {}),
        (FROM, lost(), "gave_up_whole", {"gave_up.in": "6", "missing.count": "0", "missing": ""}),
        (TO, B, "", {"transmission": "1"}), (TO, A, "", {"transmission": "1"}),
        (TO, C, "", {"sending": "2", "verdict": "complete", "reassembled.length": "1000"})],
    "an_answer_makes_a_straggler_a_second_sending": [
        (TO, start(485), "", {"verdict": "complete", "sending": "1"}),
        (TO, piece(0, FULL, 0, dialect=OPTIONS), "", {}), (TO, piece(1, b"z", 0, dialect=OPTIONS), "", {}),
        (TO, start(485), "", {"transmission": "1", "sending": "2", "response.in": "5"}),
        (FROM, READY, "", {"transmission": "1", "response.to": "4"}),
        (FROM, lost(1, dialect=OPTIONS), "", {"transmission": "1", "verdict": "missing"})],
    "announced_anew_after_a_failure": [
        (TO, start(485), "", {"verdict": "gave-up-whole"}),
        (TO, piece(0, FULL, 0, dialect=OPTIONS), "", {}), (TO, piece(1, b"z", 0, dialect=OPTIONS), "", {}),
        (FROM, lost(dialect=OPTIONS), "gave_up_whole", {}),
        (TO, start(485), "", {"transmission": "1", "sending": "2", "verdict": "missing"})],
    "asks_for_what_there_is_not": [
        (TO, A, "", {}), (FROM, lost(7), "", {"answered.in": "", "lost": "7"})],
    "the_key_is_the_md5_of_the_data": [
        (TO, piece(0, b"abc", 3, key=md5(b"abc").digest()), "",
         {"hash.check": "matches the data", "duration": "0.000000000", "goodput": ""})],
    "the_key_is_the_md5_of_data_and_destination": [
        (TO, start(485, key=TO_SEED), "", {"response.in": "2"}),
        (FROM, message("OPTIONSFEEDBACK", OPTIONS, TO_SEED), "",
         {"response.to": "1", "response.time": "1.000000000", "role": "ready"}),
        (TO, piece(0, FULL, 0, key=TO_SEED, dialect=OPTIONS), "", {"hash.check": ""}),
        (TO, piece(1, b"z", 0, key=TO_SEED, dialect=OPTIONS), "",
         {"hash.check": "matches the data and the destination", "duration": "3.000000000",
          "goodput": "1293"})],
    "a_network_that_carries_json": [
        (TO, message("JOIN", network=7), "", {"network_id": "7", "network.name": ""}),
        (TO, piece(1, JSON[484:], len(JSON), key=md5(JSON).digest(), network=7), "", {}),
        (TO, piece(0, JSON[:484], len(JSON), key=md5(JSON).digest(), network=7), "",
         {"hash.check": "matches the data", "reassembled.length": str(len(JSON))}),
        (TO, piece(0, JSON[:484], len(JSON), key=md5(JSON).digest(), network=7), "duplicate", {})],
    "resent_for_a_start_that_was_not_seen": [(TO, piece(1, FULL, 0), "stray", {"syn": "1"})],
    "asks_for_what_passed_here": [
        (TO, A, "", {}), (FROM, lost(0), "asked_seen", {}), (TO, B, "", {}), (TO, C, "", {}),
        (FROM, lost(2), "after_complete", {})],
    "answers_nothing_that_was_seen": [
        (FROM, lost(1, 2), "orphan", {"dialect": "classic"}), (FROM, lost(), "orphan", {})],
    "the_length_changes": [
        (TO, A, "", {}), (TO, piece(1, FULL, 2000), "length_changed", {}),
        (TO, piece(2, FULL, 2000), "length_changed misfit", {"complete": "0"})],
    "options_start_to_end": [
        (TO, start(500), "", {"dialect": "options", "length": "500"}), (FROM, READY, "", {}),
        (TO, start(500), "restart", {}), (TO, start(600), "restart length_changed", {}),
        (TO, piece(0, FULL, 0, dialect=OPTIONS), "", {"event.name": "TRANSPORT"}),
        (TO, piece(1, b"y" * 17, 0, dialect=OPTIONS), "misfit", {}),
        (TO, piece(1, b"y" * 16, 0, dialect=OPTIONS), "", {"reassembled.length": "500"})],
    "questions_are_no_transmissions": [
        (TO, start(0, OTHER), "", {"verdict": "empty", "info": "OPTIONS: a question, or 0 bytes", "fragments": "0", "missing.count": "0"}),
        (FROM, message("OPTIONSFEEDBACK", OPTIONS, OTHER), "", {"response.to": "1"}),
        (TO, start(500), "", {"transmission": "1"}), (FROM, READY, "", {"response.to": "3"}),
        (TO, piece(0, FULL, 0, dialect=OPTIONS), "", {}), (FROM, answers(0, 0, 1), "", {}),
        (TO, asks(500, 0, 7), "", {"transmission": "1", "token": "7", "state": "0", "role": "question"}),
        (FROM, answers(0, 7, 1), "", {"state": "0", "received": "1", "response.to": ""}),
        (TO, piece(1, b"y" * 16, 0, dialect=OPTIONS), "", {"verdict": "complete"}),
        (TO, asks(500, 1, 8), "", {"transmission": "1", "sending": "1", "verdict": "complete"}),
        (FROM, answers(1, 8, 2), "", {"transmission": "1", "state": "1", "info": "has arrived"}),
        (TO, asks(500, 1, 9), "", {}), (FROM, answers(2, 9, 2), "", {"state": "2", "info": "there is no "})],
    "fragments_that_a_kernel_joined": [
        (TO, A, "", {}), (TO, B + C, "err.share", {"info": "[2 datagrams joined by a kernel: "}),
        (TO, start(1000, OTHER), "", {}),
        (TO, piece(0, FULL, 0, OTHER, OPTIONS) + piece(1, FULL, 0, OTHER, OPTIONS) + start(1000, OTHER),
         "err.share", {"info": "[3 datagrams joined by a kernel: "})],
    "options_of_25_bytes": [
        (TO, start(500), "", {}),
        (TO, message("OPTIONS", OPTIONS, OTHER + bytes(5)), "err.length trailing", {"trailing": "00"})],
    "options_without_a_start": [(TO, piece(0, FULL, 0, dialect=OPTIONS), "stray", {})],
    "event_9_answers_options": [
        (TO, start(500), "", {}), (FROM, READY, "", {"event.name": "OPTIONSFEEDBACK"})],
    "event_9_answers_classic": [
        (TO, A, "", {}), (FROM, READY, "gave_up", {"event.name": "TRANSPORT_FAILED"})],
    "event_9_of_another_key_follows_the_sender": [
        (TO, start(500), "", {}), (FROM, lost(0, dialect=OPTIONS), "", {"dialect": "options"}),
        (FROM, message("OPTIONSFEEDBACK", OPTIONS, OTHER), "orphan",
         {"event.name": "OPTIONSFEEDBACK"})],
    "an_early_list_of_one_looks_like_options": [
        (TO, piece(0, FULL, 1000, dialect=EARLY), "", {"dialect": "early", "event": "7"}),
        (FROM, lost(1, dialect=EARLY), "", {"event.name": "TRANSPORT_FAILED", "lost": "1"})],
    "known_to_be_of_another_network": [
        (FROM, message("TOUCH"), "punch_stopped", {}),
        (TO, message("JOIN", network=7), "foreign", {"network_id": "7"}),
        (FROM, REFUSED, "mismatch", {"reason": "Dismatch networking version"}),
        (TO, piece(0, b"x", 1, network=7), "foreign", {"complete": "0", "missing.count": "1"})],
    "refused_after_it_was_whole": [
        (TO, piece(0, b"x", 1, network=7), "", {"complete": "0", "refused.in": "2",
                                                "reassembled.length": "", "reassembled.in": ""}),
        (FROM, REFUSED, "mismatch", {})],
    "classic_to_a_node_that_goes_on_in_options": [
        (TO, piece(0, b"x", 1), "unread", {"complete": "0", "reassembled.length": ""}),
        (FROM, start(500, OTHER), "", {})],
    "classic_to_a_node_that_speaks_both": [
        (TO, piece(0, b"x", 1), "", {"complete": "1"}), (FROM, start(500, OTHER), "", {}),
        (FROM, piece(0, b"y", 1), "", {"complete": "1"})],
    "a_length_of_4_GiB": [
        (TO, piece(7, FULL, 0xFFFFFFFF), "", {"fragments": "8873900"}),
        (FROM, lost(), "gave_up", {"missing.count": "8873899"})],
    "nothing_to_carry": [
        (TO, start(0), "", {"fragments": "0", "complete": "", "missing": ""}),
        (FROM, READY, "", {})],
    "malformed": [
        (TO, message(99), "err.unknown", {"event.name": "UNKNOWN", "event": "99"}),
        (TO, message("JOIN", body=b"tail"), "trailing", {"trailing": "7461696c"}),
        (TO, b"\0\0\0", "err.short", {}),
        (TO, message("TRANSPORT_FAILED"), "err.short", {}),
        (TO, message("TOUCHREQUEST", body=b"host.example:1"), "err.address", {"address.port": ""}),
        (TO, piece(0, b"", 500), "err.empty", {}),
        (TO, piece(2, b"x", 500), "err.syn", {}),
        (TO, piece(0, b"x", 500), "err.share", {}),
        (TO, message("TRANSPORT_FAILED", body=KEY + b"\1\0\0\0\2"), "err.list orphan",
         {"lost": "1"}),
        (TO, message("OPTIONS", OPTIONS, KEY + bytes(5)), "err.short", {}),
        (FROM, lost(*range(200)), "err.oversize oversize_list orphan", {"lost.count": "200"})],
    "a_punch_is_announced": [
        ((SEED, ANN), message("TOUCHREQUEST", body=b"203.0.113.3:20002"), "",
         {"address": "203.0.113.3:20002", "address.ip": "203.0.113.3", "address.port": "20002"}),
        ((ANN, BOB), message("TOUCH"), "punch_stopped", {"event.name": "TOUCH"}),
        ((BOB, ANN), b"\1\2\3\4\5", None, {})],
    "ipv6": [
        (((V6[0], 10000), V6), message("CONNECTREQUEST", body=b"[fd77::3]:10003"),
         "punch_stopped",
         {"address.ipv6": "fd77::3", "address.port": "10003", "address.ip": ""})],
}


def frame(ends, data):
    (source, sport), (target, dport) = ends
    udp = struct.pack("!HHHH", sport, dport, len(data) + 8, 0) + data
    if ":" in source:
        import ipaddress
        pair = b"".join(ipaddress.ip_address(text).packed for text in (source, target))
        return b"\2" * 12 + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + pair + udp
    pair = bytes(int(part) for text in (source, target) for part in text.split("."))
    ip = struct.pack("!BBHHHBBH", 0x45, 0, len(udp) + 20, 0, 0, 64, 17, 0)
    return b"\2" * 12 + b"\x08\0" + ip + pair + udp


def write(steps, folder):
    path = Path(folder) / "story.pcap"
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for number, (ends, data, _, _) in enumerate(steps):
            bytes_ = frame(ends, data)
            file.write(struct.pack("<IIII", number, 0, len(bytes_), len(bytes_)) + bytes_)
    return path


def differences(steps, folder, experts):
    path = write(steps, folder)
    fields = sorted({"q2p." + name for step in steps for name in step[3]} | {"q2p.event.name"})
    fields = [name for name in fields if name != "q2p.info"]
    shown = list(rows(path, ["_ws.col.Protocol", "_ws.col.Info", *fields, *experts], passes=2))
    for number, (row, step) in enumerate(zip(shown, steps, strict=True), 1):
        if step[2] is None:
            if row["_ws.col.Protocol"] == "Q2P":
                yield f"frame {number} is shown as Q2P"
            continue
        wanted = {name if "." in name else f"expert.{name}" for name in step[2].split()}
        found = {name.removeprefix("q2p.") for name in experts if row[name]}
        if found != wanted:
            yield f"frame {number} has {sorted(found)}, not {sorted(wanted)}"
        for name, value in step[3].items():
            if name == "info" and value not in row["_ws.col.Info"]:
                yield f"frame {number}: '{row['_ws.col.Info']}' has no '{value}'"
            if name != "info" and row["q2p." + name] != value:
                yield f"frame {number}: {name} is '{row['q2p.' + name]}', not '{value}'"


def expert_names():
    """Every expert item that the plugin has."""
    from dissect import tshark

    names = [line.split("\t")[2] for line in tshark(["-G", "fields"]).splitlines()]
    return [name for name in names if name.startswith(("q2p.err.", "q2p.expert."))]


def main():
    experts, told, failed = expert_names(), set(), False
    for name, steps in STORIES.items():
        told |= {item for step in steps for item in (step[2] or "").split()}
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as folder:
            for text in differences(steps, folder, experts):
                failed = True
                print(f"{name}: {text}")
    elsewhere = {"err.cut", "expert.uncollected"}  # captures that are cut: run_damage.py
    silent = {name.removeprefix("q2p.") for name in experts} - elsewhere
    silent -= {name if "." in name else f"expert.{name}" for name in told}
    if silent:
        failed = True
        print(f"no story has {sorted(silent)}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
