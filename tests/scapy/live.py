# SPDX-License-Identifier: GPL-2.0-or-later
"""
A live `q2p` program, and sockets of strangers around it. Everything stays on 127.0.0.1; waiting is
for an event with a deadline, never for a time to pass, unless silence is what is waited for.
"""
import hashlib
import json
import queue
import signal
import socket
import subprocess
import threading
import time

from q2p import (DATAGRAM_MAX, FRAGMENT_LEN, HASH_LEN, Q2P, Q2PAddress, Q2PFragment, Q2PHash,
                 Q2PList, Q2PStart, fragments, share, speak)

PATIENCE = 10.0  # seconds until something that must come is missed
SILENCE = 0.25   # seconds in which something that must not come would have come
MIB = 1 << 20


class Failed(AssertionError):
    """What a row promises is not so."""


def must(condition, sentence):
    if not condition:
        raise Failed(sentence)


class Program:
    """One q2p command with --json; its lines are collected as they come."""

    def __init__(self, binary, *arguments):
        self.arguments = [str(argument) for argument in arguments]
        self.process = subprocess.Popen([binary, *self.arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.lines = []
        self.fresh = queue.Queue()
        threading.Thread(target=self.collect, daemon=True).start()
        self.errors = b""
        threading.Thread(target=self.listen_to_errors, daemon=True).start()

    def collect(self):
        for line in self.process.stdout:
            event = json.loads(line)
            self.lines.append(event)
            self.fresh.put(event)

    def listen_to_errors(self):
        for line in self.process.stderr:
            self.errors += line

    def seen(self, kind, **fields):
        return [line for line in list(self.lines) if line["type"] == kind and
                all(line.get(key) == value for key, value in fields.items())]

    def wait_for(self, kind, **fields):
        """The first such line, whenever it came; a program that ends ends the waiting."""
        end = time.monotonic() + PATIENCE
        while not self.seen(kind, **fields):
            must(time.monotonic() < end, f"no {kind} {fields} of q2p {' '.join(self.arguments)}; "
                 f"it said {self.lines[-5:]} {self.errors.decode()[-500:]}")
            must(self.process.poll() is None or self.seen(kind, **fields),
                 f"q2p {' '.join(self.arguments)} ended with {self.process.poll()}: "
                 f"{self.errors.decode()[-2000:]}")
            try:
                self.fresh.get(timeout=0.05)
            except queue.Empty:
                pass
        return self.seen(kind, **fields)[0]

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed("SIGTERM does not end the program") from None
        # A sanitizer's report is a failure even if the attack itself was survived.
        must(b"ERROR: " not in self.errors and b"runtime error" not in self.errors,
             self.errors.decode()[:3000])
        return code


class Node(Program):
    """`q2p node` on a port of its own."""

    def __init__(self, binary, *options, port=0, network=0):
        super().__init__(binary, "node", "--json", "--ip", "127.0.0.1", "--port", port,
                         "--network-id", network, *options)
        self.network = network
        text = self.wait_for("listening")["address"]
        self.address = ("127.0.0.1", int(text.rsplit(":", 1)[1]))
        self.memory_before = self.memory()

    def memory(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) * 1024
        return 0

    def grown(self):
        return self.memory() - self.memory_before


class Stranger:
    """A socket that sends to one node unless told otherwise."""

    def __init__(self, node=None):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MIB)
        self.to = node.address if node else None
        self.text = "127.0.0.1:%d" % self.socket.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *datagrams, to=None):
        for datagram in datagrams:
            self.socket.sendto(bytes(datagram), to or self.to)

    def receive(self, patience=PATIENCE):
        """One datagram with its sender; None if none comes."""
        self.socket.settimeout(max(patience, 0.001))
        try:
            data, sender = self.socket.recvfrom(65536)
        except socket.timeout:
            return None
        must(len(data) <= DATAGRAM_MAX, f"a datagram of {len(data)} bytes")
        return data, sender

    def received(self, silence=SILENCE):
        """Everything that comes until it is silent that long."""
        found = []
        while True:
            one = self.receive(silence)
            if one is None:
                return found
            found.append(one[0])

    def expect(self, wanted, dialect="classic"):
        """Waits for an event, and gives back its message; what comes before it is left out."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            one = self.receive(end - time.monotonic())
            if one is None:
                break
            with speak(dialect):
                message = Q2P(one[0])
                if message.event_name() == wanted:
                    return message
        raise Failed(f"no {wanted} came")


# ---- messages -----------------------------------------------------------------------------

def bare(event, network=0, dialect="classic"):
    with speak(dialect):
        return bytes(Q2P(network_id=network, event=event))


def address(event, text, network=0):
    return bytes(Q2P(network_id=network, event=event) / Q2PAddress(address=text))


def start(key, length, network=0):
    with speak("options"):
        return bytes(Q2P(network_id=network, event="OPTIONS") / Q2PStart(hash=key, length=length))


def feedback(key):
    with speak("options"):
        return bytes(Q2P(event="OPTIONSFEEDBACK") / Q2PHash(hash=key))


def lost(key, syns, dialect):
    with speak(dialect):
        return bytes(Q2P(event="TRANSPORT_FAILED") / Q2PList(hash=key, lost=list(syns)))


def fragment(key, length, syn, body, dialect="classic", network=0):
    with speak(dialect):
        return bytes(Q2P(network_id=network, event="TRANSPORT") /
                     Q2PFragment(hash=key, length=length, syn=syn) / body)


def key_of(data, dialect, to):
    text = b"" if dialect == "classic" else ("%s:%d" % to).encode()
    return hashlib.md5(data + text).digest()


def all_fragments(key, data, dialect, network=0):
    return [fragment(key, len(data), syn, data[syn * FRAGMENT_LEN:][:share(len(data), syn)],
                     dialect, network) for syn in range(fragments(len(data)))]


def is_list(data, dialect):
    """The SYNs of a TRANSPORT_FAILED, or None."""
    with speak(dialect):
        message = Q2P(data)
        return message.lost if message.event_name() == "TRANSPORT_FAILED" else None


def some_key(random):
    return random.randbytes(HASH_LEN)


def deliver(node, random, dialect):
    """The node still does its work: a small transmission of somebody new arrives."""
    data = random.randbytes(700)
    with Stranger(node) as stranger:
        key = key_of(data, dialect, node.address)
        if dialect == "options":
            stranger.send(start(key, len(data), node.network))
            stranger.expect("OPTIONSFEEDBACK", dialect)
        stranger.send(*all_fragments(key, data, dialect, node.network))
        found = node.wait_for("delivered", hash=key.hex())
        must(found["length"] == len(data), f"delivered {found['length']} bytes of {len(data)}")
        must(found["sha256"] == hashlib.sha256(data).hexdigest(), "delivered other bytes")
