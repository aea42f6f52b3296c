#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
kernel_nats.py Q2P Q2P-SIM [--original PROGRAM] [--forget SECONDS] [--show]: the simulator against
NATs of the kernel. Two peers and their seed meet in network namespaces, through each pair of seven
devices made with nft, all 49 at a time; `q2p-sim matrix` must say the same of each. A second newcomer
comes just before, and a third just after, a NAT forgets the mapping that nothing has answered.

Peers are `q2p node --original`, or PROGRAM, a driver of the original with the flags -port, -seed and
-for that prints objects with event and peer. The kernel forgets after 3 seconds here, unless told
(its own default is 30). Exit code 77: no right to make namespaces, or no nft.
"""
import argparse
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

DEVICES = ["public", "eim-eif", "eim-adf", "eim-apdf", "linux-masq", "linux-masq-drop",
           "linux-random"]
NAME = f"q2p{os.getpid()}"
SEED = "203.0.113.1"
SECONDS_MAX = 8  # for all to meet

PORT_FORWARD = """
 chain in { type nat hook prerouting priority -100; iifname "wan" udp dport 10000-19999 dnat to %(host)s; }
 chain out { type nat hook postrouting priority 100; oifname "wan" snat to %(wan)s; }
"""
ONLY_KNOWN = """
 set known { type %(type)s; flags dynamic,timeout; timeout 120s; }
 chain pass { type filter hook forward priority 0;
  oifname "wan" update @known { %(to)s } accept
  iifname "wan" %(of)s @known accept
  iifname "wan" drop; }
"""
MASQUERADE = """
 chain out { type nat hook postrouting priority 100; oifname "wan" masquerade %(how)s; }
 chain pass { type filter hook forward priority 0; iifname "wan" ct state new drop; }
"""
SILENT = """
 chain own { type filter hook input priority 0; iifname "wan" meta l4proto udp drop; }
"""
RULES = {
    "eim-eif": PORT_FORWARD,
    "eim-adf": PORT_FORWARD + ONLY_KNOWN % {
        "type": "ipv4_addr . inet_service", "to": "ip daddr . udp sport", "of": "ip saddr . udp dport"},
    "eim-apdf": PORT_FORWARD + ONLY_KNOWN % {
        "type": "ipv4_addr . inet_service . inet_service", "to": "ip daddr . udp dport . udp sport",
        "of": "ip saddr . udp sport . udp dport"},
    "linux-masq": MASQUERADE % {"how": ""},
    "linux-masq-drop": MASQUERADE % {"how": ""} + SILENT,
    "linux-random": MASQUERADE % {"how": "fully-random"} + SILENT,
}


def run(*words, text=None):
    return subprocess.run([str(word) for word in words], input=text, text=True, check=True,
                          capture_output=True).stdout


class Lab:
    """Namespaces around one bridge; a device is a host, behind a router if it has rules."""

    def __init__(self):
        self.spaces, self.count = [], 0
        self.space("inet")
        self.link("inet", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        self.link("inet", "set", "br0", "up")

    def space(self, name):
        run("ip", "netns", "add", f"{NAME}{name}")
        self.spaces.append(name)
        self.link(name, "set", "lo", "up")
        return name

    def link(self, space, *words):
        run("ip", "-n", f"{NAME}{space}", "link", *words)

    def inside(self, space, *words, text=None):
        return run("ip", "netns", "exec", f"{NAME}{space}", *words, text=text)

    def cable(self, space, name, addr, other, end):
        self.link(space, "add", name, "type", "veth", "peer", "name", end, "netns", f"{NAME}{other}")
        run("ip", "-n", f"{NAME}{space}", "addr", "add", f"{addr}/24", "dev", name)
        self.link(space, "set", name, "up")

    def public(self, space, name, addr):
        self.count += 1
        self.cable(space, name, addr, "inet", f"p{self.count}")
        self.link("inet", "set", f"p{self.count}", "master", "br0", "up")

    def device(self, kind, addr, forget=None):
        """Returns the namespace of the host."""
        host = self.space(f"h{addr.rsplit('.', 1)[1]}")
        if kind == "public":
            self.public(host, "wan", addr)
            return host
        router, net = self.space(f"r{addr.rsplit('.', 1)[1]}"), addr.rsplit(".", 1)[1]
        self.public(router, "wan", addr)
        self.cable(router, "lan", f"10.0.{net}.1", host, "eth0")
        run("ip", "-n", f"{NAME}{host}", "addr", "add", f"10.0.{net}.2/24", "dev", "eth0")
        self.link(host, "set", "eth0", "up")
        run("ip", "-n", f"{NAME}{host}", "route", "add", "default", "via", f"10.0.{net}.1")
        self.inside(router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        rules = RULES[kind].replace("%(host)s", f"10.0.{net}.2").replace("%(wan)s", addr)
        self.inside(router, "nft", "-f", "-", text=f"table ip q2p {{{rules}}}\n")
        if forget:
            self.inside(router, "sysctl", "-qw", f"net.netfilter.nf_conntrack_udp_timeout={forget}")
        return host

    def close(self):
        for space in self.spaces:
            subprocess.run(["ip", "netns", "del", f"{NAME}{space}"], check=False)


class Peer:
    """A program at work; `log` is what it has told so far."""

    def __init__(self, options, folder, space, port, seed=None):
        self.path = pathlib.Path(folder) / f"{space}-{port}"
        if options.original:
            words = [options.original, "-port", port, "-for", 120]
            words += ["-seed", seed] if seed else []
        else:
            words = [options.q2p, "node", "--json", "--original", "--port", port]
            words += ["--seed", seed] if seed else []
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", f"{NAME}{space}", *map(str, words)], stdout=out,
                stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def knows(self, event, addr):
        for line in self.path.read_text(errors="replace").splitlines():
            if not line.startswith("{") or not line.endswith("}"):
                continue
            told = json.loads(line)
            if (str(told.get("event", told.get("type"))).lower() == event
                    and str(told.get("peer", "")).rsplit(":", 1)[0] == addr):
                return True
        return False

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Pair:
    """A newcomer and a known node, and their seed; each peer has a port of its own at its host."""

    def __init__(self, options, folder, number, hosts, addrs):
        self.options, self.folder, self.hosts, self.addrs = options, folder, hosts, addrs
        self.ports = [14000 + number, 12000 + number, 13000 + number]
        self.peers = [self.start(0, None)]

    def start(self, role, seed):
        peer = Peer(self.options, self.folder, self.hosts[role], self.ports[role], seed)
        if role > 0:
            self.peers.append(peer)
        return peer

    def join(self, role):
        self.start(role, f"{SEED}:{self.ports[0]}")

    def joined(self):
        return self.peers[0].knows("join", self.addrs[1])

    def mark(self):
        """As `q2p-sim matrix` says it."""
        known = self.peers[1].knows("connect", self.addrs[2])
        newcomer = self.peers[2].knows("connected", self.addrs[1])
        return "ok" if known and newcomer else "half" if known or newcomer else "-"


def wait(seconds, done):
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.1)


def meet(pairs, wanted):
    """Joins one after the other; the second only when the first is there."""
    for pair in pairs:
        pair.join(1)
    wait(SECONDS_MAX, lambda: all(pair.joined() for pair in pairs))
    for pair in pairs:
        pair.join(2)
    wait(SECONDS_MAX, lambda: [pair.mark() for pair in pairs] == wanted)
    time.sleep(0.5)  # nor more than that
    return [pair.mark() for pair in pairs]


def forgetting(options, pairs):
    """A newcomer is early enough, or comes when the NAT has forgotten."""
    for pair, share in zip(pairs, (25 / 30, 33 / 30)):
        pair.join(1)
        pair.due = time.monotonic() + share * options.forget
    for pair in pairs:
        time.sleep(max(0, pair.due - time.monotonic()))
        pair.join(2)
    wait(2, lambda: False)
    return [pair.mark() for pair in pairs]


def play(options, lab, folder):
    told = json.loads(run(options.sim, "matrix", "--json"))["devices"]
    theory = {(cell["newcomer"], cell["known"]): cell["is"] for cell in told}
    lab.public(lab.space("seed"), "wan", SEED)
    known = [(f"203.0.113.{20 + i}", kind) for i, kind in enumerate(DEVICES)]
    newcomers = [(f"203.0.113.{40 + i}", kind) for i, kind in enumerate(DEVICES)]
    old, hosts = "203.0.113.60", {}
    for addr, kind in known + newcomers:
        hosts[addr] = lab.device(kind, addr)
    hosts[old] = lab.device("linux-masq-drop", old, forget=options.forget)
    cells = list(itertools.product(newcomers, known))
    pairs = [Pair(options, folder, number, ["seed", hosts[k[0]], hosts[n[0]]], [SEED, k[0], n[0]])
             for number, (n, k) in enumerate(cells)]
    late = [Pair(options, folder, 100 + i, ["seed", hosts[old], hosts[newcomers[0][0]]],
                 [SEED, old, newcomers[0][0]]) for i in range(2)]
    wait(SECONDS_MAX, lambda: len(lab.inside("seed", "ss", "-ulnH").splitlines()) == len(pairs + late))
    try:
        wanted = [theory[n[1], k[1]] for n, k in cells]
        got, forgot = meet(pairs, wanted), forgetting(options, late)
    finally:
        for peer in [peer for pair in pairs + late for peer in pair.peers]:
            peer.stop()
    return cells, wanted, got, forgot


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("q2p")
    parser.add_argument("sim")
    parser.add_argument("--original")
    parser.add_argument("--forget", type=int, default=3)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    if os.geteuid() != 0 or not all(map(shutil.which, ("ip", "ss", "nft", "sysctl"))):
        print("needs root, ip, ss, nft and sysctl")
        sys.exit(77)
    lab = None
    with tempfile.TemporaryDirectory() as folder:
        try:
            lab = Lab()
            lab.inside("inet", "nft", "add", "table", "ip", "q2p")
        except subprocess.CalledProcessError as error:
            print("no namespaces, or no nft in them:", error.stderr.strip())
            sys.exit(77)
        finally:
            if lab is None:
                subprocess.run(["ip", "netns", "del", f"{NAME}inet"], check=False,
                               stderr=subprocess.DEVNULL)
        try:
            cells, wanted, got, forgot = play(options, lab, folder)
        finally:
            lab.close()
    wrong = [(n[1], k[1], w, g) for (n, k), w, g in zip(cells, wanted, got) if w != g]
    for row in range(len(DEVICES) if options.show or wrong else 0):
        marks = (f"{mark:4}" for mark in got[row * len(DEVICES):(row + 1) * len(DEVICES)])
        print(f"{DEVICES[row]:16}", *marks)
    print(f"{len(cells) - len(wrong)} of {len(cells)} cells as simulated; a newcomer before and after "
          f"the NAT forgets: {forgot[0]}, {forgot[1]}")
    for newcomer, known, want, mark in wrong:
        print(f"{newcomer} joins {known}: simulated {want}, in the kernel {mark}")
    sys.exit(bool(wrong) or forgot != ["ok", "-"])


if __name__ == "__main__":
    main()
