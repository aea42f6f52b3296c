#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Judges of q2p-sim: run_scenario.py Q2P-SIM JUDGE [FILE]. `good` runs a scenario that must succeed,
`failing` one that must fail with the lines that its `# says:` comments tell, `bad` compares every
error message with FILE.errors. The other judges are functions below, with a sentence each.
"""
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from xml.etree import ElementTree

HERE = pathlib.Path(__file__).resolve().parent
DEMO = HERE.parent.parent / "simulator/scenarios/demo.yaml"
SIM = ""


def sim(*words, cwd=None, text=True):
    return subprocess.run([SIM, *map(str, words)], cwd=cwd, text=text, timeout=300, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True)


def expect(condition, *why):
    if not condition:
        sys.exit("\n".join(["not as expected:", *map(str, why)]))


def good(file):
    done = sim("run", file, "--no-files")
    expect(done.returncode == 0 and not re.search("^FAIL", done.stdout, re.M) and not done.stderr,
           done.stdout, done.stderr)
    again = sim("check", file)
    expect(again.returncode == 0, again.stdout)
    expect(done.stdout.split("trace hash: ")[1] == again.stdout.split("trace hash: ")[1],
           done.stdout, again.stdout)


def failing(file):
    done = sim("run", file, "--no-files")
    lines = done.stdout.splitlines()
    says = [line[8:].rstrip() for line in open(file, encoding="utf-8") if line.startswith("# says:")]
    expect(says and done.returncode == 1, f"exit code {done.returncode}", done.stdout)
    for line in says:
        expect(line in lines, line, "is not in", done.stdout)
    expect(lines[-1] == f"again: q2p-sim run {file} --seed 1", lines[-1])
    words = lines[-1].split()
    expect(sim(*words[2:], "--no-files").stdout == done.stdout, "the same again is not the same")
    expect(sim("run", file, "--no-files", "--quiet").stdout.count("ok ") == 0, "--quiet is not")


def bad(file):
    file = pathlib.Path(file)
    done = sim("run", file.name, "--no-files", cwd=file.parent)
    expect(done.returncode == 3, f"exit code {done.returncode}", done.stderr)
    wanted = (file.parent / (file.name + ".errors")).read_text(encoding="utf-8")
    expect(done.stderr == wanted, done.stderr, "instead of", wanted)
    expect(done.stdout == "", done.stdout)


def determinism(folder):
    """The same file and seed give the same bytes everywhere; another seed does not."""
    files = ("trace.pcapng", "events.jsonl", "report.json", "report.html",
             "scenario.resolved.yaml")
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        done = sim("run", DEMO, "--seed", seed, "--out", folder / name)
        expect(done.returncode == 0, done.stdout)
        expect(sorted(path.name for path in (folder / name).iterdir()) == sorted(files))
    for name in files:
        first, again, other = ((folder / run / name).read_bytes() for run in "abc")
        expect(first == again, name, "differs between two runs with one seed")
        expect(first != other, name, "is the same with another seed")
    resolved = sim("run", folder / "a/scenario.resolved.yaml", "--no-files")
    expect(resolved.stdout.splitlines()[-1].startswith("trace hash"), resolved.stdout)
    trace = json.loads((folder / "a/report.json").read_text())["trace_hash"]
    expect(trace in resolved.stdout, "scenario.resolved.yaml is another run:", resolved.stdout)


def capture(folder):
    """TShark finds the vantage points, valid checksums, one fate per datagram, true addresses."""
    if not shutil.which("tshark"):
        sys.exit(77)
    report = json.loads(sim("run", DEMO, "--json", "--out", folder).stdout.splitlines()[-1])
    fields = "frame.interface_name frame.packet_id frame.comment ip.src ip.dst ip.checksum.status " \
             "udp.checksum.status frame.time_epoch frame.packet_flags_direction"
    read = subprocess.run(
        ["tshark", "-r", folder / "trace.pcapng", "-o", "ip.check_checksum:TRUE", "-o",
         "udp.check_checksum:TRUE", "-T", "fields", "-E", "separator=|",
         *[word for field in fields.split() for word in ("-e", field)]],
        text=True, check=True, capture_output=True)
    fates, times, places = collections.defaultdict(set), [], collections.Counter()
    uses, mapped = collections.Counter(), {}
    inside = {"alice": "10.0.0.2", "bob": "10.1.0.2", "seed": "203.0.113.1",
              "home-a": "198.51.100.1", "home-b": "198.51.100.2"}
    for line in read.stdout.splitlines():
        place, number, comment, src, dst, ip_check, udp_check, time, way = line.split("|")
        expect(ip_check == "1" and udp_check == "1", "bad checksum:", line)
        expect(inside[place] == (src if int(way, 0) == 2 else dst), "not its address:", line)
        fate, _, mapping = comment.partition(",")
        fates[number].add(fate)
        expect(place in ("home-a", "home-b") or not mapping, "no mapping can be there:", line)
        if mapping:
            inner, outer, use = re.fullmatch(r"(\S+) -> (\S+) (.+)", mapping).groups()
            uses[place, use] += 1
            expect(inner.split(":")[0] == {"home-a": "10.0.0.2", "home-b": "10.1.0.2"}[place]
                   and outer.split(":")[0] == inside[place], line)
            expect(mapped.setdefault((place, outer), inner) == inner, "mapped otherwise:", line)
            expect((fate == f"filtered by {place}") == (use == "closed to the sender"), line)
        places[place] += 1
        times.append(float(time))
    expect(set(places) == set(inside), places)
    expect(times == sorted(times), "not in the order of time")
    made = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    for nat in ("home-a", "home-b"):
        count = sum(event["type"] == "mapping" and event["nat"] == nat for event in made)
        expect(uses[nat, "created"] == count == 1 and uses[nat, "refreshed"] > 1, uses)
    expect(all(len(fate) == 1 for fate in fates.values()), "a datagram with two fates")
    wan = "(home-a|home-b|seed)"
    known = f"delivered to (alice|bob|seed)|lost on link {wan}>{wan}|filtered by home-b"
    for fate in fates.values():
        expect(re.fullmatch(known, next(iter(fate))), "an odd fate:", fate)
    words = collections.Counter(next(iter(fate)).split()[0] for fate in fates.values())
    wanted = report["datagrams"]
    expect(len(fates) == wanted["sent"] and words["delivered"] == wanted["delivered"]
           and words["lost"] == wanted["lost"] > 0 and words["filtered"] == wanted["filtered"],
           words, wanted)
    if shutil.which("capinfos"):
        info = subprocess.run(["capinfos", folder / "trace.pcapng"], text=True, check=True,
                              capture_output=True).stdout
        expect("nanoseconds (9)" in info and "Strict time order:   True" in info, info)


def vantage(folder):
    """--at leaves of a capture what was seen there; the run is the same."""
    if not shutil.which("tshark"):
        sys.exit(77)
    def read(name):
        fields = [word for field in "interface_name packet_id comment time_epoch".split()
                  for word in ("-e", "frame." + field)]
        return subprocess.run(["tshark", "-r", folder / name / "trace.pcapng", "-T", "fields",
                               *fields, "-e", "udp.payload"], text=True, check=True,
                              capture_output=True).stdout.splitlines()
    runs = {name: sim("run", DEMO, *words, "--json", "--out", folder / name).stdout
            for name, words in (("all", ()), ("some", ("--at", "home-a,b*b")))}
    expect(runs["all"] == runs["some"], "another run")
    seen = [line for line in read("all") if line.split("\t")[0] in ("home-a", "bob")]
    expect(len({line.split("\t")[0] for line in seen}) == 2 and read("some") == seen, seen)
    for words in ("carol", "alice,carol", "alice,", ""):
        done = sim("run", DEMO, "--at", words, "--out", folder / "none")
        missing = words.split(",")[-1]
        expect(done.returncode == 2 and not (folder / "none").exists()
               and f"--at: no node or NAT of {DEMO} is called '{missing}'" in done.stderr, done)


def lines(folder):
    """--json prints what events.jsonl has: objects with type and t_ns, the verdict at the end."""
    done = sim("run", DEMO, "--json", "--out", folder)
    expect(done.stdout == (folder / "events.jsonl").read_text(), "--json is not events.jsonl")
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    expect(all({"type", "t_ns"} <= set(thing) for thing in objects), done.stdout)
    connected = [thing for thing in objects if thing.get("on") == "connected"]
    expect({thing["node"] for thing in connected} | {thing["peer"] for thing in connected}
           >= {"alice", "bob"}, connected)
    report = json.loads((folder / "report.json").read_text())
    expect(objects[-1]["type"] == "run" and objects[-1]["ok"] and report["ok"])
    expect(objects[-1]["again"] == f"q2p-sim run {DEMO} --seed 7", objects[-1])
    expect(len(report["expectations"]) == 3 and report["nodes"]["bob"]["delivered"] == 1, report)


def ladder(_folder):
    """--ladder draws the punch: the TOUCH filtered, CONNECT and CONNECTED across."""
    done = sim("run", DEMO, "--no-files", "--ladder").stdout
    for word in ("JOIN", "TOUCHREQUEST", "TOUCHED", "CONNECTREQUEST", "CONNECT-", "CONNECTED"):
        expect(word in done, word, "is not in", done)
    expect("TRANSPORT" not in done and done.splitlines()[0].split() == ["alice", "seed", "bob"])


def matrix(_folder):
    """The punching tables are those of theory; JSON is one document with the totals."""
    done = sim("matrix", "--scope", "both")
    expect(done.returncode == 0 and "!" not in done.stdout.split("columns:")[0], done.stdout)
    told = sim("matrix", "--scope", "both", "--json")
    page = json.loads(told.stdout)
    expect(told.returncode == 0 and page["ok"] and len(page["tables"]) == 10, told.stdout[:300])
    expect(page["type"] == "matrix" and page["t_ns"] == 0, told.stdout[:300])
    expect(list(page)[-1] == "totals" and page["totals"] ==
           {"classic": 45, "original": 33, "original_half_open": 6, "ours": 45}, page["totals"])
    expect(page["totals_endpoint"] ==
           {"classic": 49, "original": 49, "original_half_open": 14, "ours": 49}, page)
    for table in page["tables"]:
        expect(len(table["cells"]) == 81 and all(cell["fits"] for cell in table["cells"]), table)
    expect(len(page["together"]) == 4 * 3 * 9 and len(page["devices"]) == 49
           and all(cell["fits"] for cell in page["together"] + page["devices"]), page["devices"])
    expect(sum(cell["is"] == "ok" for cell in page["devices"]) == 36, page["devices"])
    expect("hairpin" in done.stdout and " 36 of 49 " in done.stdout, done.stdout)
    poison = json.loads(sim("matrix", "--loss", "20%", "--trials", 1, "--json").stdout)["poison"]
    expect(poison["fits"] and poison["trials"] >= 5000, poison)
    late = sim("matrix", "--profile", "original", "--after", "33s", "--forget", "30s")
    expect(late.returncode == 0 and " 0 of 81" in late.stdout, late.stdout)
    lossy = json.loads(sim("matrix", "--profile", "ours", "--loss", "10%", "--trials", 20,
                           "--json").stdout)
    expect(lossy["ok"] and lossy["tables"][0]["trials"] == 45 * 20, lossy["tables"][0]["trials"])
    expect(all(sim("matrix", "--profile", "original", "--loss", "10%", "--seed", seed).returncode == 0
               for seed in range(1, 6)), "chance is called a fault")
    other = json.loads(sim("matrix", "--profile", "ours", "--loss", "40%", "--trials", 20,
                           "--json", "--seed", 2).stdout)
    expect(other["seed"] == 2 and 0 < other["tables"][0]["successes"] < 900, other["tables"][0])


def read_page(path):
    """The elements of a page that is well-formed, and needs neither network nor script."""
    text = path.read_text(encoding="utf-8")
    elements = [element for element in ElementTree.fromstring(text).iter()]
    for element in elements:
        tag = element.tag.rpartition("}")[2]
        expect(tag not in ("script", "link", "img", "iframe", "object", "embed", "base", "form"),
               tag, "is on the page", path)
        for name in element.attrib:
            expect(not name.startswith("on") and name not in ("src", "href", "style"), name, path)
    expect("url(" not in text and "@import" not in text, "a style from elsewhere")
    expect("<svg" in text and "prefers-color-scheme:dark" in text, "no picture, or no dark one")
    expect("(null)" not in text, "a text that is not there")
    return text, elements


def words_of(elements, tag, class_word=None):
    return ["".join(element.itertext()) for element in elements
            if element.tag.rpartition("}")[2] == tag
            and (not class_word or class_word in element.attrib.get("class", "").split())]


def page(file):
    """report.html says what the run said, twice the same, and names every node it draws."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / name / "report.html" for name in "ab"]
        for path in paths:
            done = sim("run", file, "--out", path.parent)
            expect(done.returncode in (0, 1), done.stderr)
        expect(paths[0].read_bytes() == paths[1].read_bytes(), "two pages of one run differ")
        text, elements = read_page(paths[0])
        report = json.loads((paths[0].parent / "report.json").read_text())
        bare = sim("run", file, "--no-files").stdout
    expect(f"trace hash: {report['trace_hash']}" in bare, "looking changes the run", bare)
    pills = words_of(elements, "span", "pill")
    expect(pills == ["✓ passed" if report["ok"] else "✗ failed"], pills)
    expect(words_of(elements, "pre", "again") == [report["again"]], report["again"])
    expect(report["trace_hash"] in words_of(elements, "dd"), report["trace_hash"])
    ticks = [re.split("  |at [0-9]", line)[0] for line in words_of(elements, "li", "yes")
             + words_of(elements, "li", "no")]
    for wanted in report["expectations"]:
        expect(any(line.startswith(wanted["expect"]) for line in ticks), wanted, ticks)
    failed = [line for line in words_of(elements, "li", "no") if not line.startswith("oracle")]
    expect(len(failed) == sum(not wanted["ok"] for wanted in report["expectations"]), failed)
    cells = words_of(elements, "td")
    for node, counters in report["nodes"].items():
        expect(node in cells and str(counters["datagrams_in"]) in cells, node, "has no row")
    expect(len(text) < 500_000, f"{len(text)} bytes are no quick look")


def story(folder):
    """The demo's page tells the punch, the bursts and the repairs, in pictures and in tables."""
    expect(sim("run", DEMO, "--out", folder).returncode == 0)
    _text, elements = read_page(folder / "report.html")
    report = json.loads((folder / "report.json").read_text())
    texts = words_of(elements, "text")
    for word in ("JOIN", "TOUCHREQUEST", "TOUCH", "filtered", "TOUCHED", "CONNECTREQUEST", "CONNECT",
                 "CONNECTED", "alice", "home-a", "seed", "home-b", "bob", "EIM / APDF", "EIM / ADF",
                 "15ms..25ms, 5%", "✓ connected alice bob before 4s",
                 "send: {from: alice, to: bob, size: 100KiB, as: picture}"):
        expect(word in texts, word, "is not in a picture", texts)
    bands = [re.fullmatch(r"picture: (\d+) fragments?( again)?(?:, (\d+) lost)?(, in .*)?", text)
             for text in texts]
    bands = [(int(band[1]), bool(band[2]), int(band[3] or 0)) for band in bands if band]
    again = sum(sent for sent, repeated, _gone in bands if repeated)
    lost = sum(gone for _sent, _repeated, gone in bands)
    # the link lets fragments overtake each other: some that are merely late are sent again
    first = sum(sent for sent, repeated, _gone in bands if not repeated)
    expect(first == 212 and not bands[0][1] and again == report["nodes"]["alice"]["fragments_resent"]
           and 0 < lost <= again, bands, report["nodes"]["alice"])
    rows = [[cell.text for cell in element] for element in elements
            if element.tag.endswith("}tr")]
    expect(any(row[:5] == ["picture", "alice", "bob", "100 KiB", "classic"]
               and row[5:8] == ["212", str(again), str(lost)] for row in rows), rows)
    expect(any(row[:3] == ["bob", "alice", "seed"] and row[5].startswith("connected at")
               for row in rows), rows)
    titles = "\n".join(words_of(elements, "title"))
    expect("filtered by home-b" in titles and "alice is connected to bob" in titles, titles)
    expect("its source 10.0.0.2:10001 became 198.51.100.1:10001" in titles, titles)


STRANGE = """
name: "</title><script>alert(1)</script> \\x1b[31m \\u202e & co"
about: "\\"><img src=x onerror=alert(2)>"
until: 2s
nodes:
  a: {at: 192.0.2.1:1}
  b: {at: 192.0.2.2:1, joins: a}
script:
  - {at: 1s, send: {from: b, to: a, size: 1KiB, as: "<svg/onload=alert(3)>'\\""}}
expect:
  - {delivered: "<svg/onload=alert(3)>'\\""}
"""


def strange(folder):
    """A scenario of a stranger: its texts are shown, and stay texts."""
    file = folder / "<b>&'.yaml"
    file.write_text(STRANGE, encoding="utf-8")
    done = sim("run", file, "--out", folder / "out")
    expect(done.returncode == 0, done.stdout, done.stderr)
    text, elements = read_page(folder / "out/report.html")
    expect("</title><script>alert(1)</script> \ufffd[31m \ufffd & co" in words_of(elements, "h1"),
           words_of(elements, "h1"))
    expect('"><img src=x onerror=alert(2)>' in words_of(elements, "p", "about"), "no about")
    expect("<svg/onload=alert(3)>'\"" in words_of(elements, "td"), words_of(elements, "td"))
    expect("alert" in text and "<script" not in text and "<img" not in text, text)


LONG = f"""
name: "tab\\there \\x1b \\u2028 line\\nline "
about: {60 * "long words "}
until: 3s
nodes:
  seed: {{at: 203.0.113.1:10000}}
  b: {{at: 203.0.113.3:1, joins: seed, count: 50}}
  a: {{at: 203.0.114.2:1, joins: [seed, {", ".join(f"b-{i}" for i in range(50))}], behind: home}}
nats: {{home: {{outside: "2001:db8::1", pool: ["2001:db8::2", "2001:db8::3"]}}}}
default: {{lose-trace: {250 * "0100"}, delays: [{", ".join(f"{i}.123456ms" for i in range(1, 60))}]}}
script: [{{at: 1s, send: {{from: b-1, to: seed, size: 5KiB, as: "{450 * "x"}"}}}}]
expect: [{{delivered: "{450 * "x"}"}}]
""".replace("203.0.114.2:1", '"[2001:db8:1::1]:7"')


def resolved(folder):
    """scenario.resolved.yaml is the same run, whatever stands in the scenario, and resolves to itself."""
    (folder / "strange.yaml").write_text(STRANGE, encoding="utf-8")
    (folder / "long.yaml").write_text(LONG, encoding="utf-8")
    gallery = HERE.parent.parent / "simulator/scenarios"
    for file, *words in ((folder / "strange.yaml",), (folder / "long.yaml",),
                         (gallery / "ipv6.yaml",), (gallery / "moved.yaml",),
                         (gallery / "one-way.yaml", "--swarm", "--seed", 2),
                         *((DEMO, "--swarm", "--seed", seed) for seed in range(5))):
        runs = []
        for out, source, more in (("a", file, words), ("b", folder / "a/scenario.resolved.yaml", ())):
            done = sim("run", source, *more, "--out", folder / out)
            expect("trace hash: " in done.stdout, source, more, done)
            runs.append((done.stdout.split("trace hash: ")[1].split()[0],
                         (folder / out / "scenario.resolved.yaml").read_text(encoding="utf-8")))
        expect(runs[0] == runs[1], file, words, *runs[0], "is not", *runs[1])


def heat(folder):
    """matrix --html: every table, every cell, well-formed, twice the same."""
    paths = [folder / "a.html", folder / "b.html"]
    for path in paths:
        done = sim("matrix", "--html", path)
        expect(done.returncode == 0, done.stdout, done.stderr)
    expect(paths[0].read_bytes() == paths[1].read_bytes(), "two pages of one matrix differ")
    _text, elements = read_page(paths[0])
    tables = len(words_of(elements, "h2"))
    cells = [element for element in elements
             if "cell" in element.attrib.get("class", "").split()]
    expect(tables >= 8 and len(cells) == 81 * (tables - 4) + 49 + 3 * 36, tables, len(cells))
    together = [sum("is2" in element.attrib["class"].split() for element in part)
                for part in (cells[-108:-72], cells[-72:-36], cells[-36:])]
    expect(together == 3 * [5 + 9 + 5], "hairpins:", together)
    full = sum("is2" in element.attrib["class"].split() for element in cells[:81])
    expect(full == 45, "the classic table has", full)
    done = sim("matrix", "--html", "/proc/nowhere")
    expect(done.returncode == 4 and not done.stdout, "no file is no error, or one too late", done)


def golden(_folder):
    """Every build of every compiler gives the hashes of golden/hashes.txt, whatever made the first.

    What nodes say changes them rightly: Q2P_RENEW=1 writes the file anew."""
    root, told = HERE.parent.parent, HERE / "golden/hashes.txt"
    lines = told.read_text(encoding="utf-8").splitlines()
    runs = [line.split() for line in lines if not line.startswith("#")]
    expect(len(runs) >= 15, "few runs", runs)
    for run in runs:
        done = sim("run", root / run[0], "--seed", run[1], "--no-files")
        is_now = done.stdout.split("trace hash: ")[1].split()[0]
        if not os.environ.get("Q2P_RENEW"):
            expect(is_now == run[2], run[0], "seed", run[1], "is", is_now, "instead of", run[2])
        run[2] = is_now
    text = "\n".join([line for line in lines if line.startswith("#")] + [" ".join(run) for run in runs])
    if os.environ.get("Q2P_RENEW"):
        told.write_text(text + "\n", encoding="utf-8")


def usage(folder):
    """Every way of calling it wrongly has its exit code, and help goes where it is wanted."""
    for words, code in (((), 2), (("help",), 0), (("--help",), 0), (("--version",), 0),
                        (("help", "run"), 0), (("run", "--help"), 0), (("bogus",), 2),
                        (("run",), 2), (("run", DEMO, DEMO), 2), (("run", "--bogus", DEMO), 2),
                        (("run", DEMO, "--seed", "x"), 2), (("run", DEMO, "--seed", "-1"), 2),
                        (("run", DEMO, "--out"), 2), (("check", DEMO, "--json"), 2),
                        (("run", DEMO, "--variant", 2 ** 32 + 1), 2), (("run", folder), 3),
                        (("sweep", DEMO, "--seeds", 0), 2), (("sweep", DEMO, "--jobs", 257), 2),
                        (("matrix", "--trials", 5), 2),
                        (("matrix", "--loss", "5%", "--trials", 2 ** 32 + 1), 2),
                        (("run", folder / "missing.yaml"), 3), (("check", folder), 3),
                        (("sweep", DEMO, "--shard", "3/2"), 2), (("sweep", "-"), 2),
                        (("sweep", DEMO, "--jobs", "many"), 2), (("sweep", folder / "no.yaml"), 3),
                        (("run", DEMO, "--variant", 1, "--no-files"), 3),
                        (("matrix", "--scope", "x"), 2), (("matrix", "--loss", "1"), 2),
                        (("matrix", "--profile", ""), 2), (("matrix", DEMO), 2),
                        (("run", DEMO, "--out", "/proc/nowhere"), 4),
                        (("run", DEMO, "--out", DEMO), 4), (("new",), 0), (("explain",), 0),
                        (("explain", "links.loss"), 0), (("explain", "nats"), 0),
                        (("explain", "seed"), 0), (("explain", "vary"), 0),
                        (("explain", "bogus"), 2)):
        done = sim(*words)
        expect(done.returncode == code, words, done.returncode, done.stdout, done.stderr)
        expect(bool(done.stdout) == (code == 0) and bool(done.stderr) == (code != 0), words,
               done.stdout, done.stderr)
    seeds = {sim("run", DEMO, "--seed", seed, "--no-files").stdout for seed in ("010", "10", "0xa")}
    expect(len(seeds) == 1, "010 is no octal number", seeds)
    (folder / "new.yaml").write_text(sim("new").stdout)
    done = sim("run", "new.yaml", "--progress", cwd=folder)
    expect(done.returncode == 0 and (folder / "new.run/trace.pcapng").is_file(), done.stdout)
    expect("expectations decided" in done.stderr and "\r" not in done.stderr, done.stderr)
    for words, part in ((("run", folder), f"{folder}: Is a directory"), (("run",), "wants FILE"),
                        (("run", "--bogus", DEMO), "q2p-sim: unrecognized option '--bogus'"),
                        (("sweep", DEMO, "--seeds", 0), "--seeds wants a number from 1 to "),
                        (("explain", "nats.maping"), "(did you mean 'nats.mapping'?)"),
                        (("explain", "nodes.peers-max"), "(did you mean 'protocol.peers-max'?)"),
                        (("run", DEMO, "--seed", "0x"), "--seed wants a number from 0 to ")):
        expect(part in sim(*words).stderr, words, sim(*words).stderr)
    odd = folder / "what's that.yaml"
    shutil.copy(HERE / "failing/lost.yaml", odd)
    done = sim("run", odd, "--no-files")
    line = done.stdout.splitlines()[-1].replace("again: q2p-sim", f"'{SIM}'") + " --no-files"
    again = subprocess.run(["sh", "-c", line], text=True, capture_output=True, check=False)
    expect(again.returncode == 1 and again.stdout == done.stdout, line, again)
    quiet = sim("sweep", DEMO, "--seeds", 2, "--quiet")
    expect(quiet.returncode == 0 and not quiet.stdout, quiet.stdout)
    if pathlib.Path("/dev/full").exists():
        for words in (("new",), ("explain",), ("matrix", "--json"), ("run", DEMO, "--no-files")):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([SIM, *map(str, words)], stdout=full, check=False, text=True,
                                      stderr=subprocess.PIPE)
            expect(done.returncode == 4 and "standard output" in done.stderr, words, done)
        (folder / "full").mkdir()
        (folder / "full/trace.pcapng").symlink_to("/dev/full")
        expect(sim("run", DEMO, "--out", folder / "full").returncode == 4, "a full disk is no error")
    (folder / "deep").mkdir()
    for words in (("run", DEMO), ("shrink", HERE / "failing/lost.yaml")):
        done = sim(*words, "--out", f"{folder}/deep{'/.' * 300}/out")
        expect(done.returncode == 4 and "too long" in done.stderr, words, done)


def main(judges):
    global SIM
    SIM, judge = sys.argv[1:3]
    if len(sys.argv) > 3:
        judges[judge](sys.argv[3])
        return
    with tempfile.TemporaryDirectory() as folder:
        judges[judge](pathlib.Path(folder))


if __name__ == "__main__":
    main(globals())
