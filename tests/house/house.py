#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The rules of the house as tests: house.py RULE... [--root DIR] [--build DIR]. Each rule is a
function that yields one sentence per violation; test_house.py plants some and sees them found.
"""
import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOMS = ("libq2p", "dissector", "simulator", "tests")
TOP = {"CMakeLists.txt", "README.md", "LICENSE", "dev", "libq2p", "dissector", "simulator", "pcaps",
       "tests", ".clang-format", ".editorconfig", ".gitignore", ".gitattributes",
       ".ci"}
SHARED_NAMES = {"README.md", "PROTOCOL.md", "CMakeLists.txt"}
SOURCES = {".c", ".h", ".py", ".sh", ".cmake", ".yaml", ".yml", ".uts", ".scd", ".map", ".in"}
BANNED = "strcpy strcat sprintf vsprintf gets atoi atol atof rand srand alloca tmpnam"
BANNED_BELOW_3 = "malloc calloc printf fprintf puts time clock clock_gettime gettimeofday errno " \
                 "exit abort getenv socket sendto recvfrom sleep usleep nanosleep pthread_create"
# What an object below the border may ask for; asserts stay on, so they are there, too.
TOOLCHAIN = r"__assert_fail|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|tsan|sanitizer|" \
            r"gcov|llvm|start___sancov|stop___sancov|sancov)\w*"
NEEDS = {0: rf"mem(cpy|move|cmp|set|chr)|q2p_\w+|{TOOLCHAIN}"}
NEEDS[1] = NEEDS[0]
NEEDS[2] = rf"{NEEDS[0]}|nettle_\w+|_nettle_\w+|realloc|free"
INCLUDES = {0: "assert limits stdbool stddef stdint string q2p/status q2p/types"}
INCLUDES[1] = INCLUDES[0] + " q2p/wire"
INCLUDES[2] = INCLUDES[1] + " stdlib nettle/md5 q2p/node q2p/machine"
DISSECTOR_SEES = "q2p/status q2p/types q2p/wire q2p/version"
MANUALS = {"q2p": "libq2p/man/q2p.1.scd", "q2p-sim": "simulator/man/q2p-sim.1.scd"}
MADE = {"scenario.resolved.yaml", "mine.yaml"}  # by the programs, and named in documents
WIRE_NUMBERS = "484 508 512"  # sizes of PROTOCOL.md 8, which wire.h has names for


class House:
    def __init__(self, root, build=None):
        self.root, self.build = Path(root), build and Path(build)

    def files(self, *suffixes, under=("",)):
        """Files of the project: what git knows, or, in an export, everything but builds."""
        try:
            environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(self.root.resolve().parent)}
            names = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-zco",
                                    "--exclude-standard"], cwd=self.root, check=True, text=True,
                                   capture_output=True, env=environment).stdout.split("\0")
        except (OSError, subprocess.CalledProcessError):
            names = [str(path.relative_to(self.root)) for path in self.root.rglob("*")]
        for name in sorted(filter(None, names)):
            path = self.root / name
            if re.match(r"build|\.git/|[^/]*\.run/|mine\.yaml|.*__pycache__", name) or not path.is_file():
                continue
            if name.startswith(tuple(under)) and (not suffixes or path.suffix in suffixes):
                yield path

    def name(self, path):
        return str(Path(path).resolve().relative_to(self.root.resolve()))

    def text(self, name):
        return (self.root / name).read_text(encoding="utf-8")

    def floor(self, path):
        name = self.name(path)
        if name.startswith("libq2p/base/"):
            return 0
        if name.startswith("libq2p/q2p/"):
            return 1 if re.search(r"_(wire|dialect)\.[ch]$", name) else 2
        return 3 if name.startswith("libq2p/drive/") else 4


def bare(text):
    """C without comments and strings, lines kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text,
                  flags=re.S)


def matches(pattern, text):
    for match in re.finditer(pattern, text):
        yield text.count("\n", 0, match.start()) + 1, match


def nm(*args):
    return subprocess.run(["nm", *map(str, args)], check=True, capture_output=True,
                          text=True).stdout.splitlines()


def ctags(paths, *options):
    command = ["ctags", "--output-format=json", "-f", "-", *options, *map(str, paths)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def rule_floors(house):
    """What the objects of floors 0 to 2 ask for, and that they keep no state."""
    objects = sorted(house.build.glob("libq2p/CMakeFiles/q2p_*.dir/**/*.o"))
    seen = set()
    for path in objects:
        floor = {"q2p_base.dir": 0, "q2p_wire.dir": 1, "q2p_core.dir": 2}.get(
            path.relative_to(house.build).parts[2])
        if floor is None:
            continue
        seen.add(floor)
        instrumented = False
        for line in nm("-u", path):
            symbol = line.split()[-1]
            instrumented |= symbol.startswith(("__asan", "__gcov", "__tsan"))
            if not re.fullmatch(NEEDS[floor], symbol):
                yield f"{path.name}: floor {floor} asks for {symbol}"
        for line in [] if instrumented else nm("--format=sysv", path):
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) == 7 and re.match(r"\.bss|\.data(?!\.rel\.ro)|\*COM", cells[6]) \
                    and cells[3] == "OBJECT":
                yield f"{path.name}: floor {floor} keeps a variable, {cells[0]}"
    if seen != {0, 1, 2}:
        yield f"no objects of floors {sorted({0, 1, 2} - seen)} in {house.build}"


def rule_includes(house):
    """Who may know whom: only downwards; the dissector floor 1, the simulator never floor 3."""
    homes = {path.name: path for path in house.files(".h", under=("libq2p/",))}
    for path in house.files(".c", ".h", under=("libq2p/", "dissector/", "simulator/")):
        name, floor = house.name(path), house.floor(path)
        if name.startswith(("libq2p/include/", "libq2p/examples/")):
            continue
        for line, match in matches(r'(?m)^\s*#\s*include\s*([<"])([^">]+)', path.read_text()):
            where, what = f"{name}:{line}", re.sub(r"\.h$", "", match[2])
            home = homes.get(Path(match[2]).name) if match[1] == '"' else None
            if floor < 3 and match[1] == "<" and what not in INCLUDES[floor].split():
                yield f"{where}: floor {floor} includes <{match[2]}>"
            if home and house.floor(home) > floor:
                yield f"{where}: floor {floor} includes {match[2]} of floor {house.floor(home)}"
            if home and name.startswith("dissector/") and house.floor(home) > 1:
                yield f"{where}: the dissector includes {match[2]} of floor {house.floor(home)}"
            if name.startswith("dissector/") and what.startswith("q2p/") and \
                    what not in DISSECTOR_SEES.split():
                yield f"{where}: the dissector includes <{match[2]}>"
            if name.startswith("simulator/") and (what in ("q2p/drive", "q2p/q2p") or home):
                yield f"{where}: the simulator includes {match[2]}, not the public floors 0 to 2"
            if name.startswith("libq2p/") and re.search(r"packet-q2p|sim_|net_|scn_|pcapng", what):
                yield f"{where}: the library includes {match[2]}"


def rule_calls(house):
    """Calls that nobody makes, and calls that floors 0 to 2 do not make."""
    for path in house.files(".c", ".h", under=tuple(room + "/" for room in ROOMS)):
        words = BANNED.split()
        if house.floor(path) < 3:
            words += BANNED_BELOW_3.split()
        pattern = r"(?<![\w.>])(" + "|".join(words) + r")\s*\("
        for line, match in matches(pattern, bare(path.read_text())):
            yield f"{house.name(path)}:{line}: calls {match[1]}"


def rule_sizes(house):
    """Functions up to 70 lines, files up to 500 unless their head says why."""
    sources = list(house.files(".c", ".h", ".py", under=tuple(room + "/" for room in ROOMS)))
    for path in sources:
        lines = path.read_text().splitlines()
        if len(lines) > 500 and not any("500 lines" in line for line in lines[:20]):
            yield f"{house.name(path)}: {len(lines)} lines, and its head does not say why"
    sources = [path for path in sources if path.suffix in (".c", ".h")]
    for tag in ctags(sources, "--kinds-C=f", "--fields=+ne"):
        length = tag.get("end", tag["line"]) - tag["line"] + 1
        if tag.get("kind") == "function" and length > 70:
            yield f"{house.name(tag['path'])}:{tag['line']}: {tag['name']} has {length} lines"


def rule_exports(house):
    """The library exports what its headers declare, and nothing else."""
    headers = house.files(".h", under=("libq2p/include/",))
    declared = {tag["name"] for tag in ctags(headers, "--kinds-C=px")}
    exported = {line.split()[-1].split("@")[0] for line in
                nm("-D", "--defined-only", house.build / "libq2p" / "libq2p.so")
                if line.split()[-2] != "A"}
    exported -= {name for name in exported if name.startswith("__")}  # of sanitizers
    yield from (f"{name} is declared and not exported" for name in sorted(declared - exported))
    yield from (f"{name} is exported and not declared" for name in sorted(exported - declared))


def rule_sections(house):
    """Sections of PROTOCOL.md that are cited exist."""
    titles = set(re.findall(r"(?m)^#+ (\d+(?:\.\d+)*) ", house.text("libq2p/PROTOCOL.md")))
    for path in house.files(".c", ".h", ".py", ".md", ".yaml", ".scd"):
        text = re.sub(r"\n[ *#]*", lambda gap: "\n" + " " * (len(gap[0]) - 1), path.read_text())
        cited = r"PROTOCOL\.md[`)]*,?\s+((?:section )?\d+(?:\.\d+)*(?:(?:,| to| and)\s+\d+\.\d+)*)"
        for line, match in matches(cited, text):
            for number in re.findall(r"\d+(?:\.\d+)*", match[1]):
                if number not in titles:
                    yield f"{house.name(path)}:{line}: there is no PROTOCOL.md {number}"
    for number in re.findall(r'"(\d\.\d)"\)', house.text("libq2p/include/q2p/wire.h")):
        if number not in titles:
            yield f"wire.h: there is no PROTOCOL.md {number}"


def rule_vectors(house):
    """Every event of every dialect and every fault of a datagram has a vector."""
    vectors = json.loads(house.text("tests/vectors/wire.json"))["vectors"]
    seen = {(vector["dialect"], vector["event"]) for vector in vectors if vector["status"] == "OK"}
    events = r"XX\((\w+), (-?\d+), (-?\d+), (-?\d+), [A-Z]+,"
    for name, *numbers in re.findall(events, house.text("libq2p/include/q2p/wire.h")):
        for dialect, number in zip(("early", "classic", "options"), numbers):
            if int(number) >= 0 and (dialect, name) not in seen:
                yield f"no vector for a well-formed {dialect} {name}"
    statuses = re.findall(r"XX\((\w+), (-?\d+),", house.text("libq2p/include/q2p/status.h"))
    for name, number in statuses:
        if int(number) > -20 and name not in {vector["status"] for vector in vectors}:
            yield f"no vector for {name}"
    names = [vector["name"] for vector in vectors]
    yield from (f"two vectors are called {name}" for name in set(names) if names.count(name) > 1)


def rule_standard(house):
    """The table of event numbers in PROTOCOL.md 2.3 is the map of wire.h."""
    row = r"(?m)^\| (\w+) \| (-|\d+) \| (-|\d+) \| (-|\d+) \|$"
    text = house.text("libq2p/PROTOCOL.md").split("### 2.3")[-1].split("\n## ")[0]
    written = [tuple(cell if cell != "-" else "-1" for cell in found)
               for found in re.findall(row, text)]
    mapped = re.findall(r"XX\((\w+), (-?\d+), (-?\d+), (-?\d+), [A-Z]+,",
                        house.text("libq2p/include/q2p/wire.h"))
    yield from (f"PROTOCOL.md 2.3 and Q2P_EVENT_MAP differ about {name}"
                for name in sorted({row[0] for row in set(written) ^ set(mapped)}))


def rule_numbers(house):
    """Wire numbers are typed once, in wire.h."""
    pattern = r"(?<![\w.])(" + "|".join(WIRE_NUMBERS.split()) + r")(?![\w.])"
    for path in house.files(".c", ".h", under=("libq2p/", "dissector/", "simulator/")):
        if house.name(path) == "libq2p/include/q2p/wire.h":
            continue
        text = re.sub(r"(?m)^#define \w+ \d+", "", bare(path.read_text()))  # names of other things
        for line, match in matches(pattern, text):
            yield f"{house.name(path)}:{line}: {match[1]} has a name in wire.h"
        for line, match in matches(r"Dismatch", path.read_text()):
            yield f"{house.name(path)}:{line}: this text has a name in wire.h"


def rule_pcaps(house):
    """Captures and MANIFEST.yaml agree, both ways, and so do its totals and truth.json."""
    pcaps = house.root / "pcaps"
    listed = {entry["file"]: entry for entry in
              yaml.safe_load(house.text("pcaps/MANIFEST.yaml"))["captures"]}
    there = {str(path.relative_to(pcaps)): path for path in house.files(under=("pcaps/",))
             if path.suffix in (".pcap", ".pcapng", ".cap")}
    truth = {"recorded/" + capture["file"]: capture for capture in
             json.loads(house.text("pcaps/recorded/truth.json"))["captures"]}
    yield from (f"{name} is not in MANIFEST.yaml" for name in sorted(set(there) - set(listed)))
    yield from (f"{name} is not there" for name in sorted(set(listed) - set(there)))
    for name, entry in listed.items():
        missing = {"sha256", "family", "dialect", "origin", "shows", "remake", "totals"} - set(entry)
        if missing:
            yield f"{name}: its entry lacks {', '.join(sorted(missing))}"
        elif name in there and \
                hashlib.sha256(there[name].read_bytes()).hexdigest() != entry["sha256"]:
            yield f"{name}: has another hash than its entry"
        if name in truth and entry.get("totals") != {
                **{key: truth[name][key] for key in ("packets", "complete", "incomplete")},
                "pairs": len(truth[name]["peers_connected"])}:
            yield f"{name}: the totals of its entry are not those of truth.json"


def rule_scenarios(house):
    """A scenario expects something, or it could not fail."""
    for path in house.files(".yaml", under=("simulator/scenarios/",)):
        if not (yaml.safe_load(path.read_text()) or {}).get("expect"):
            yield f"{house.name(path)}: has no expect:"


def rule_tidy(house):
    """Top level, licence lines, trailing blanks, names."""
    names = {}
    for path in house.files():
        name = house.name(path)
        top = name.split("/")[0]
        if top not in TOP:
            yield f"{top}: does not belong at the top level"
        if path.name not in SHARED_NAMES and not name.startswith(("pcaps/", "tests/fuzz/corpus/")):
            names.setdefault(path.name, []).append(name)
        data = path.read_bytes()
        if b"\0" in data or name.startswith(("tests/fuzz/corpus/", "pcaps/golden/")):
            continue
        lines = data.decode("utf-8", "replace").split("\n")
        executable = lines[0].startswith("#!")
        if (path.suffix in SOURCES or executable or path.name == "CMakeLists.txt") and \
                not any("SPDX-License-Identifier: GPL-2.0-or-later" in line for line in lines[:2]):
            yield f"{name}: has no SPDX line"
        if name == "LICENSE":
            continue
        for number, line in enumerate(lines, 1):
            if line != line.rstrip():
                yield f"{name}:{number}: blanks at the end"
        if lines[-1] != "":
            yield f"{name}: does not end with a newline"
    for name, places in names.items():
        if len(places) > 1:
            yield f"{name} is there {len(places)} times: {', '.join(places)}"


def rule_fences(house):
    """C in READMEs, the standard and man pages compiles: as a file, or as a function's body."""
    includes = [house.root / "libq2p/include"]
    if house.build:
        includes.append(house.build / "libq2p/include")
    for path in house.files(".md", ".scd"):
        for line, match in matches(r"(?ms)^```c\n(.*?)^```", path.read_text()):
            if not any(compiles("#include <q2p/q2p.h>\n" + form % match[1], includes)
                       for form in ("%s", "void f(void)\n{\n%s\n}\n")):
                yield f"{house.name(path)}:{line}: this C does not compile"


def rule_links(house):
    """What documents link to is there, and so are the sources that they name."""
    names = {path.name for path in house.files()}
    for path in house.files(".md", ".scd"):
        for line, match in matches(r'\]\(([^)#\s]+)|src="([^"]+)"', path.read_text()):
            to = match[1] or match[2]
            if "://" not in to and not (path.parent / to).exists():
                yield f"{house.name(path)}:{line}: there is no {to}"
        for line, match in matches(r"`([\w./-]+\.(?:c|h|py|sh|md|yaml|png))`", path.read_text()):
            if Path(match[1]).name not in names | MADE:
                yield f"{house.name(path)}:{line}: there is no {match[1]}"


def rule_words(house):
    """The manual page names each happening that --json tells, the library's README each function."""
    text = house.text(MANUALS["q2p"])
    for word in re.findall(r'XX\(\w+, \d+, "(\w+)"', house.text("libq2p/include/q2p/node.h")):
        if f"_{word}_" not in text:
            yield f"{word} is not in {MANUALS['q2p']}"
    prefix, named = "", {"q2p_config_init_sized"}  # by its macro
    for word in re.findall(r"`(\w+)`", house.text("libq2p/README.md")):
        prefix = "_".join(word.split("_")[:2]) if word.startswith("q2p_") else prefix
        named.add(prefix + word if word.startswith("_") else word)
    for tag in ctags(house.files(".h", under=("libq2p/include/",)), "--kinds-C=px"):
        if tag["name"] not in named:
            yield f"{tag['name']} is not in libq2p/README.md"


def rule_manual(house):
    """Manual pages have the options that --help has, command by command."""
    for name, page in MANUALS.items():
        program, text = house.build / "bin" / name, house.text(page)
        commands = set(re.findall(rf"(?m)^\*{name}\*? \*?([a-z]+)\*", text)) - {"help"}
        written = manual_options(text, commands)
        for command in sorted(commands):
            told = subprocess.run([program, command, "--help"], capture_output=True, text=True,
                                  check=False).stdout
            helped = set(re.findall(r"(?m)^  (?:-.,|   ) --([a-z-]+)", told))
            for option in sorted((helped ^ written[command]) - {"help"}):
                where = "--help" if option in written[command] else page
                yield f"{name} {command}: --{option} is not in {where}"


def manual_options(text, commands):
    """By command; whose an option is stands in the heading above, and may be narrowed behind it."""
    found = {command: set() for command in commands}
    for part in re.split(r"(?m)^#+ (?=OPTIONS OF|Of )", text)[1:]:
        heading, _, body = re.split(r"(?m)^# ", part)[0].partition("\n")
        words = re.findall(r"[a-z]+", heading.lower())
        mine = commands if "all" in words else commands & set(words)
        for match in re.finditer(r"(?m)^(\*-.*)\n((?:\t.*\n|\n(?=\t))*)", body):
            only = re.search(r"\((\w+)\)$", match[1])
            also = re.search(r"Also of ([\w ,]+)", match[2])
            but = re.search(r"Not for\s+\*(\w+)\*", match[2])
            whose = {only[1]} if only else mine | set(re.findall(r"\w+", also[1] if also else ""))
            for command in (whose & commands) - {but and but[1]}:
                found[command] |= set(re.findall(r"\*--([a-z-]+)\*", match[1]))
    return found


def compiles(text, includes):
    with tempfile.NamedTemporaryFile("w", suffix=".c") as file:
        file.write(text)
        file.flush()
        return subprocess.run(["cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-fsyntax-only", "-w",
                               *(f"-I{path}" for path in includes), file.name],
                              capture_output=True, check=False).returncode == 0


RULES = {name[5:]: rule for name, rule in globals().items() if name.startswith("rule_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rules", nargs="+", choices=sorted(RULES), metavar="RULE")
    parser.add_argument("--root", default=Path(__file__).resolve().parents[2])
    parser.add_argument("--build")
    args = parser.parse_args()
    if not args.build and {"floors", "exports", "fences", "manual"} & set(args.rules):
        parser.error("these rules look at what is built: give --build DIR")
    house = House(args.root, args.build)
    found = [f"house.{rule}: {line}" for rule in args.rules for line in RULES[rule](house)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
