#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Judges of what searches: sweeps, their shards and workers, and shrink. run_search.py Q2P-SIM JUDGE;
each is a function with a sentence, as in run_scenario.py.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import run_scenario
from run_scenario import DEMO, HERE, expect, main, sim

VARY = """until: 20s
nodes:
  seed:  {at: 203.0.113.1:10000}
  alice: {at: 10.0.0.2:10001, behind: home, joins: seed}
  bob:   {at: 203.0.113.2:10002, joins: seed, start: 200ms}
nats: {home: {outside: 198.51.100.1}}
script: [{at: 2s, send: {from: alice, to: bob, size: 10KiB, as: picture}}]
expect: [{connected: [alice, bob], before: 3s}, {delivered: picture}]
vary:
  default.loss: [0%, 20%]
  nats.home.mapping: [endpoint-independent, address]
  protocol.profile: [default, original]
"""


def sweep(folder):
    """A sweep is the same for any number of jobs; its shards make the whole; failures come again."""
    file = folder / "vary.yaml"
    file.write_text(VARY)
    words = "sweep", file, "--seeds", 30, "--json"
    one = sim(*words, "--jobs", 1)
    expect(one.returncode == 1 and not one.stderr, one.stdout[-500:], one.stderr)
    for jobs in 2, 5:
        expect(sim(*words, "--jobs", jobs).stdout == one.stdout, jobs, "jobs give something else")
    objects = [json.loads(line) for line in one.stdout.splitlines()]
    expect(all({"type", "t_ns"} <= set(thing) for thing in objects), one.stdout)
    expect(all((thing["why"] is None) == thing["ok"] for thing in objects if thing["type"] == "run"),
           "a reason where nothing failed, or none")
    expect(all((thing["t_ns"] > 0) == (thing["type"] == "run" and not thing["ok"])
               for thing in objects), "a time where nothing happened, or none")
    runs = [thing for thing in objects if thing["type"] == "run"]
    expect([run["run"] for run in runs] == list(range(240)), "not in order, or not all")
    expect([run["seed"] for run in runs[:31]] == [*range(1, 31), 1], runs[:31])
    total, variants = objects[-1], [thing for thing in objects if thing["type"] == "variant"]
    expect(len(variants) == 8 and variants[0]["passed"] == 30 and variants[-1]["passed"] < 10
           and variants[-1]["values"] == "default.loss=20% nats.home.mapping=address "
           "protocol.profile=original", variants)
    expect(abs(variants[0]["low"] - .886482) < 1e-5 and variants[0]["high"] == 1, variants[0])
    expect(total["type"] == "sweep" and total["runs"] == 240
           and total["passed"] == sum(run["ok"] for run in runs), total)
    parts = [run for shard in (1, 2, 3) for run in map(json.loads, sim(
        *words, "--shard", f"{shard}/3").stdout.splitlines()) if run["type"] == "run"]
    expect(sorted(parts, key=lambda run: run["run"]) == runs, "shards are not the whole")
    for again in total["again"]:
        done = sim(*again.split()[1:], "--no-files")
        expect(done.returncode == 1 and done.stdout.splitlines()[-1] == f"again: {again}", done)
        number = again.split("--variant ")[1]
        run = next(run for run in runs if not run["ok"])
        expect(run["variant"] != int(number) or again != total["again"][0]
               or run["trace_hash"] in done.stdout, run, done.stdout)
    text = sim("sweep", file, "--seeds", 5, "--quiet")
    expect("of 40 passed (95%: " in text.stdout and "again: q2p-sim run" in text.stdout, text.stdout)
    swarm = sim("sweep", DEMO, "--swarm", "--seeds", 40, "--json")
    runs = [json.loads(line) for line in swarm.stdout.splitlines()][:-1]
    expect(swarm.returncode == 0 and len({run["datagrams"] for run in runs}) > 20, swarm.stdout)
    done = sim("run", DEMO, "--swarm", "--seed", 11, "--no-files")
    expect(any(run["trace_hash"] in done.stdout for run in runs), "not the same swarm", done.stdout)
    for name in "x" + 150 * "é", 150 * "é": # cut somewhere, it is to stay UTF-8
        file.write_text(VARY[:VARY.index("vary")].replace("picture", name).replace("3s", "1ms"))
        for words in ("sweep", "--seeds", 1), ("run", "--no-files"), ("shrink",):
            done = subprocess.run([run_scenario.SIM, words[0], file, "--json", *map(str, words[1:])],
                                  check=False, capture_output=True)
            expect(done.returncode == 1 and done.stdout.decode("utf-8"), done)
    file.write_text(VARY.replace("0%, 20%", "0%, 20").replace("vary:", "vary:\n  nats.x.y: [1]"))
    done = sim("sweep", file)
    expect(done.returncode == 3 and "15:24: bad loss '20'" in done.stderr.replace("vary.yaml:", "")
           or "'nats.x.y' is no place for a value" in done.stderr, done.stderr)


def computes(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def orphans(folder):
    """Workers whose parent is killed are gone, too, instead of going on to the last seed; what it
    has told until then are whole lines."""
    with open(folder / "told", "wb") as told:
        whole = subprocess.Popen([run_scenario.SIM, "sweep", DEMO, "--seeds", "1000000", "--jobs",
                                  "3", "--json"], stdout=told)
    listed = pathlib.Path(f"/proc/{whole.pid}/task/{whole.pid}/children")
    while len(listed.read_text().split()) < 3:
        expect(whole.poll() is None, "it has ended by itself")
    workers = listed.read_text().split()
    while (folder / "told").stat().st_size == 0:
        expect(whole.poll() is None, "it has ended by itself")
        time.sleep(0.01)
    whole.kill()
    whole.wait()
    expect((folder / "told").read_bytes().endswith(b"}\n"), (folder / "told").read_bytes()[-200:])
    for _ in range(200):
        if not any(map(computes, workers)):
            return
        time.sleep(0.05)
    for worker in filter(computes, workers):
        os.kill(int(worker), signal.SIGKILL)
    expect(False, "they go on without their parent:", workers)


def recipe(word):
    """A literal block of the man page as a shell has it, with smaller figures."""
    text = (HERE.parent.parent / "simulator/man/q2p-sim.1.scd").read_text(encoding="utf-8")
    blocks = [block for block in text.split("```")[1::2] if word in block]
    expect(len(blocks) == 1, word, "is in", len(blocks), "blocks")
    return re.sub(r"\b64\b", "4", blocks[0].replace("\\\\\n", "\\\n").replace("1000000", "10"))


def shards(folder):
    """The man page's recipes for a sweep in parts do what one sweep does."""
    (folder / "demo.yaml").write_text(VARY)
    whole = [line for line in sim("sweep", "demo.yaml", "--seeds", 10, "--json", cwd=folder)
             .stdout.splitlines() if '"type":"run"' in line]
    path = f"{pathlib.Path(run_scenario.SIM).resolve().parent}:{os.environ['PATH']}"
    scripts = {"xargs": recipe("seq 64 | xargs"), "slurm": recipe("#SBATCH"),
               "parallel": recipe("parallel --jobs 8")}
    scripts["slurm"] = "for i in 1 2 3 4; do SLURM_ARRAY_TASK_ID=$i sh -c '%s'; done" % scripts["slurm"]
    for name, script in scripts.items():
        if name != "slurm" and not shutil.which(name):
            continue
        for old in folder.glob("part-*"):
            old.unlink()
        subprocess.run(["sh", "-c", script], cwd=folder, check=False, capture_output=True,
                       env={**os.environ, "PATH": path})
        parts = [part.read_text().splitlines() for part in folder.glob("part-*.jsonl")]
        runs = [line for part in parts for line in part if '"type":"run"' in line]
        expect(len(parts) == 4 and len(runs) == len(whole) == 80
               and sorted(runs) == sorted(whole), name, script, len(parts), len(runs), len(whole))


def shrink(folder):
    """A failure that needs three strokes of luck among ten thousand events is reduced to them."""
    file = HERE / "failing/three-strokes.yaml"
    done = sim("shrink", file, "--json", "--out", folder / "least")
    report = json.loads(done.stdout)
    expect(report["t_ns"] == 0 and report["list"][-1]["t_ns"] > 0, report)
    expect(done.returncode == 1 and report["events"] >= 10000 and report["decisions"] > 10000
           and report["minimal"] and report["enough"] == len(report["list"]) <= 5, report)
    expect((folder / "least/trace.pcapng").stat().st_size > 10000, "no capture")
    expect(all(thing["luck"] == "lost" for thing in report["list"]), report["list"])
    again = sim(*report["again"].split()[1:])
    lines = again.stdout.splitlines()
    expect(again.returncode == 1 and lines[-1] == f"again: {report['again']}", again.stdout)
    expect(lines[0] == "FAIL  " + report["why"] and "JOIN" in again.stdout, again.stdout)
    numbers = [str(thing["decision"]) for thing in report["list"]]
    for number in numbers:
        rest = ",".join(other for other in numbers if other != number)
        done = sim("shrink", file, "--only", rest)
        expect(done.returncode == 0 and "again: " not in done.stdout, number, "could be left out")
    done = sim("shrink", file, "--only", numbers[0], "--quiet")
    expect(done.returncode == 0 and not done.stdout, "quiet, and nothing fails", done.stdout)
    done = sim("shrink", file, "--out", "/proc/nowhere")
    expect(done.returncode == 4 and not done.stdout, "nowhere to write", done.stdout)
    file = HERE / "failing/unlucky-port.yaml"
    done = sim("shrink", file, "--json")
    report = json.loads(done.stdout)
    expect([(thing["luck"], thing["nat"], thing["draw"]) for thing in report["list"]]
           == [("port drawn", "home-b", 1)] and report["minimal"], report)
    expect(": port drawn\n" in sim(*report["again"].split()[1:]).stdout, report["again"])
    mappings = [json.loads(line) for line in sim("run", file, "--json", "--no-files")
                .stdout.splitlines() if '"mapping"' in line]
    expect([(thing["nat"], thing["draws"]) for thing in mappings]
           == [("home-a", []), ("home-b", [0]), ("home-b", [1])], mappings)
    expect(sim("shrink", file, "--only", "0").returncode == 2, "there is no decision 0")
    expect(json.loads(sim("shrink", DEMO, "--json").stdout)
           == {"type": "shrink", "t_ns": 0, "seed": 7, "why": None}, "the demo fails, with --json")
    expect(sim("shrink", DEMO).stdout.startswith("ok    nothing fails"), "the demo fails")
    # what is asked for is played, whether all luck together makes it fail or not
    report = json.loads(sim("shrink", DEMO, "--only", "2", "--json").stdout)
    expect(report["why"] is None and report["enough"] == 1 == len(report["list"]), report)
    expect(sim("shrink", DEMO, "--only", "1000000").returncode == 2, "the demo has few decisions")
    deaf = folder / "deaf.yaml"
    deaf.write_text("""until: 5s
nodes:
  seed:  {at: 203.0.113.1:10000}
  alice: {at: 203.0.113.2:10000, joins: seed}
default: {loss: 100%}
expect: [{never: join}]
""")
    done = sim("shrink", deaf, "--only", "1")
    expect(sim("shrink", deaf).returncode == 0 and done.returncode == 1
           and done.stdout.startswith("FAIL  never join"), done.stdout)


if __name__ == "__main__":
    main(globals())
