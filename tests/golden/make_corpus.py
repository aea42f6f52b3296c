#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make_corpus.py [--check]: makes pcaps/simulated (the gallery's scenarios, seen from one interface
each) and pcaps/crafted (each story of run_stories.py), and their entries at the end of MANIFEST.yaml;
and puts what a recording shows, as its entry says it, into the recording as a comment.
The same sources give the same bytes. With --check nothing is written: says what would change."""
import hashlib
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

import run_stories
from run_replay import PCAPS, Q2P, ROOT, q2p

MARK = "  # From here on: made by tests/golden/make_corpus.py\n"
SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
BYTE_ORDER, VERSION, LENGTH_UNKNOWN = 0x1A2B3C4D, (1, 0), 0xFFFFFFFFFFFFFFFF
COMMENT, NAME, RESOLUTION, END = 1, 2, 9, 0
ETHERNET, SECOND = 1, 1_000_000_000
START = 1_000_000_000 * SECOND
PACKETS_MAX = 360
# These nodes list by the timer alone, as ours did once, but for those of one capture.
STEADY = "probe: no, early: no, extend: no"
AT_ONCE = "lists-at-once"

# file: (scenario, interfaces, dialect, what it shows, endpoints whose life can be replayed)
SIMULATED = {
    "punch-two-cones": ("punch-two-cones", "bob", "classic",
                        "A hole punched between two cone NATs, seen inside one of them; our node "
                        "repeats JOIN.", ["10.0.0.2:10001"]),
    "punch-seen-by-the-seed": ("punch-two-cones", "seed", "classic",
                               "The same punch at the seed: requests and nothing of what they bring.",
                               ["203.0.113.1:10000"]),
    "punch-at-a-nat": ("punch-two-cones", "home-b", "classic",
                       "The same punch outside one of the NATs, with what became of its mapping.",
                       []),
    "repair-classic": ("loss-repair-classic", "bob", "classic",
                       "Lists and resends with their length, until all of it is there.",
                       ["192.0.2.2:10000"]),
    "repair-options": ("loss-repair-options", "bob", "options",
                       "OPTIONS, lists and resends, until all of it is there.", ["192.0.2.2:10000"]),
    AT_ONCE: ("loss-repair-classic", "bob", "classic",
              "Gaps are listed as soon as they show.", ["192.0.2.2:10000"]),
    "lost-for-good": ("lost-for-good", "bob", "classic",
                      "The link dies: lists that nobody hears, then giving up.",
                      ["192.0.2.2:10000"]),
    "lost-between-two-interfaces": ("lost-for-good", "alice bob", "classic",
                                    "The link dies between two interfaces: all of it passes at the "
                                    "sender's, and each tells its own story.", []),
    "mixed-dialects": ("mixed-dialects", "old", "mixed",
                       "A node of ours that starts in classic and one that starts in options learn "
                       "each other's dialect.", []),
    "foreign-network": ("foreign-network", "seed", "classic",
                        "JOINs of another network, and CONNECT_FAILED at its bounded rate.",
                        ["203.0.113.1:10000"]),
    "punch-ipv6": ("ipv6", "alice", "classic", "Joining, punching and sending over IPv6.", []),
    "same-nat-without-hairpin": ("same-nat", "seed", "classic",
                                 "Two nodes behind one NAT that sends nothing back inside.", []),
}


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def blocks(data):
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        yield kind, data[at + 8:at + size - 4]
        at += size


def seen_at(data, names):
    """The capture as it is at one of its interfaces, or at some of them."""
    wanted, numbers, interfaces, out = names.split(), {}, 0, b""
    for kind, body in blocks(data):
        if kind == SECTION:
            out += block(kind, body)
        elif kind == INTERFACE:
            if any(option(NAME, name.encode()) in body for name in wanted):
                numbers[interfaces] = len(numbers)
                out += block(kind, body)
            interfaces += 1
        elif kind == PACKET and struct.unpack_from("<I", body)[0] in numbers:
            number = numbers[struct.unpack_from("<I", body)[0]]
            out += block(kind, struct.pack("<I", number) + body[4:])
    if len(numbers) != len(wanted):
        sys.exit(f"no interface {names}")
    return out


def simulate(scenario, interface, steady):
    path = f"simulator/scenarios/{scenario}.yaml"  # which the capture names
    text = (ROOT / path).read_text()
    if steady:
        text = re.sub(r"^protocol: \{", f"protocol: {{{STEADY}, ", text, flags=re.M)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / path).parent.mkdir(parents=True)
        (Path(folder) / path).write_text(text)
        subprocess.run([str(Q2P.parent.resolve() / "q2p-sim"), "run", "-q", "--out", "run", path],
                       cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return seen_at(Path(f"{folder}/run/trace.pcapng").read_bytes(), interface)


def tell(name, steps):
    """A story as capture: a millisecond apart, what the dissector says about each as comment."""
    about = name.replace("_", " ").encode()
    out = block(SECTION, struct.pack("<IHHQ", BYTE_ORDER, *VERSION, LENGTH_UNKNOWN) +
                option(COMMENT, about) + option(END, b""))
    out += block(INTERFACE, struct.pack("<HHI", ETHERNET, 0, 0) + option(RESOLUTION, b"\x09") +
                 option(END, b""))
    for number, (ends, data, said, _) in enumerate(steps):
        frame = run_stories.frame(ends, data)
        when = START + number * SECOND // 1000
        comment = (said or ("plain" if said == "" else "not Q2P")).encode()
        out += block(PACKET, struct.pack("<IIIII", 0, when >> 32, when & 0xFFFFFFFF, len(frame),
                                         len(frame)) +
                     frame + bytes(-len(frame) % 4) + option(COMMENT, comment) + option(END, b""))
    return out


def commented(data, text):
    """A recording with a sentence in its section's head; its packets stay as they were recorded."""
    first = next(blocks(data))[1]
    fixed, options = first[:16], first[16:] or option(END, b"")
    if options[:2] == struct.pack("<H", COMMENT):
        options = options[4 + (struct.unpack_from("<H", options, 2)[0] + 3) // 4 * 4:]
    return block(SECTION, fixed + option(COMMENT, text.encode()) + options) + data[12 + len(first):]


def recordings(manifest):
    """path below pcaps -> bytes, of all that was not made here"""
    for entry in yaml.safe_load(manifest)["captures"]:
        if entry["file"].startswith("recorded/"):
            data = (PCAPS / entry["file"]).read_bytes()
            yield entry["file"], entry["sha256"], commented(data, entry["shows"])


def dialect_of(name):
    return "mixed" if name.startswith("classic_to") else "options" if "options" in name else \
        "early" if "early" in name else "classic"


def sentence(name, steps):
    items = dict.fromkeys(item for step in steps for item in (step[2] or "").split())
    said = f" The dissector says {', '.join(items)}." if items else ""
    return f"{name.replace('_', ' ').capitalize()}.{said}"


def counts(path):
    """What the file holds, by `q2p check`; run_readers.py holds the other readers against it."""
    total = q2p("check", "--json", path)[-1]
    return {"packets": total["frames"], "complete": total["complete"],
            "incomplete": total["incomplete"], "pairs": total["connected"],
            "malformed": total["malformed"]}


def flow(mapping):
    return "{ " + ", ".join(f"{key}: {value}" for key, value in mapping.items()) + " }"


def folded(text, width=95):
    line, lines = "", []
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join(f"      {each}" for each in [*lines, line])


def entry(file, data, dialect, origin, shows, replay):
    with tempfile.NamedTemporaryFile(suffix=".pcapng") as copy:
        copy.write(data)
        copy.flush()
        found = counts(copy.name)
    if found["packets"] > PACKETS_MAX:
        sys.exit(f"{file}: {found['packets']} packets, at most {PACKETS_MAX} are welcome")
    totals = {key: found[key] for key in ("packets", "complete", "incomplete", "pairs")}
    del found["packets"]
    text = (f"  - file: {file}\n    sha256: {hashlib.sha256(data).hexdigest()}\n    family: q2p\n"
            f"    dialect: {dialect}\n    origin: >-\n{folded(origin)}\n    shows: >-\n"
            f"{folded(shows)}\n    remake: tests/golden/make_corpus.py\n"
            f"    totals: {flow(totals)}\n    found: {flow(found)}\n")
    if replay:
        text += "    replay: [" + ", ".join(f'"{address}"' for address in replay) + "]\n"
    return text


def corpus():
    """path below pcaps -> (bytes, entry of the manifest)"""
    made = {}
    for name, steps in sorted(run_stories.STORIES.items()):
        file, data = f"crafted/{name.replace('_', '-')}.pcapng", tell(name, steps)
        made[file] = data, entry(file, data, dialect_of(name),
                                 "Made by hand: a story of tests/golden/run_stories.py.",
                                 sentence(name, steps), [])
    for name, (scenario, interface, dialect, shows, replay) in sorted(SIMULATED.items()):
        file, data = f"simulated/{name}.pcapng", simulate(scenario, interface, name != AT_ONCE)
        origin = f"q2p-sim, simulator/scenarios/{scenario}.yaml, at the interface of {interface.replace(' ', ' and ')}."
        made[file] = data, entry(file, data, dialect, origin, shows, replay)
    return made


def main():
    check = sys.argv[1:] == ["--check"]
    made, changed = corpus(), []
    before = (PCAPS / "MANIFEST.yaml").read_text()
    after = before.split(MARK)[0] + MARK + "".join(text for _, text in made.values())
    for file, before_hash, data in recordings(before):
        made[file] = data, ""
        after = after.replace(before_hash, hashlib.sha256(data).hexdigest())
    names = {name.rsplit("/", 1)[1] for name in made}
    by_hand = set(before.split(MARK)[0].split())
    for folder in ("simulated", "crafted"):
        for path in sorted((PCAPS / folder).glob("*.pcapng")):
            if path.name not in names and f"{folder}/{path.name}" not in by_hand:
                changed.append(f"{folder}/{path.name} is of no source any more")
                if not check:
                    path.unlink()
    for file, (data, _) in made.items():
        path = PCAPS / file
        if not path.exists() or path.read_bytes() != data:
            changed.append(f"{file} would be other bytes than it is")
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(data)
    if after != before:
        changed.append("the entries in MANIFEST.yaml would change")
        if not check:
            (PCAPS / "MANIFEST.yaml").write_text(after)
    if check and changed:
        print(*changed, "if this is right: tests/golden/make_corpus.py, then ./dev golden --accept "
              "each", sep="\n")
    sys.exit(bool(check and changed))


if __name__ == "__main__":
    main()
