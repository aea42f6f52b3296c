#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Everything that hurt the original (PROTOCOL.md 9), sent to a live `q2p node`, one fresh node per
row. After each row it lives, delivers a transmission, and has not grown; and the row's own promise
is kept. Bounded in time and count, on loopback only. It has more than 500 lines: a function per row.

    attacks.py [--binary build/bin/q2p] [--dialect classic] [--seed 1] [--row 7 ...] [--list]
"""
import argparse
import contextlib
import hashlib
import os
import random as randoms
import subprocess
import sys
import tempfile
import time

from live import (MIB, SILENCE, Failed, Node, Program, Stranger, address, all_fragments, bare,
                  deliver, feedback, fragment, is_list, key_of, lost, must, some_key, start)
from q2p import FRAGMENT_LEN, ROOT, WIRE, Q2P, fault, speak

BOTH = ("classic", "options")
PEERS_MAX = 32      # of a node that is not told otherwise
INCOMING_PEER_MAX = 16
ANSWERS_MAX = 32    # control messages per second that one address can cause
GROWTH_MAX = 8 * MIB
ROWS = {}


def row(number, sentence, growth=GROWTH_MAX):
    def register(function):
        function.sentence, function.growth = sentence, growth
        ROWS[number] = function
        return function
    return register


class Scene:
    """What a row has at hand; nodes and strangers it makes are cleared away for it."""

    def __init__(self, binary, dialect, seed):
        self.binary, self.dialect = binary, dialect
        self.random = randoms.Random(seed)
        self.stack = contextlib.ExitStack()
        self.nodes = []

    def node(self, *options, port=0, network=0):
        node = Node(self.binary, "--dialect", self.dialect, *options, port=port, network=network)
        self.nodes.append(node)
        self.stack.callback(node.stop)
        return node

    def program(self, *arguments):
        program = Program(self.binary, *arguments)
        self.stack.callback(program.stop)
        return program

    def stranger(self, node=None):
        return self.stack.enter_context(Stranger(node))

    def key(self):
        return some_key(self.random)


def silent(*strangers, silence=SILENCE):
    for number, stranger in enumerate(strangers):
        found = stranger.received(silence if number == 0 else 0.001)
        must(not found, f"a stranger got {len(found)} datagrams, first {found and found[0].hex()}")


def undelivered(node, key):
    must(not node.seen("delivered", hash=key.hex()), "it was delivered")


# ---- the header ---------------------------------------------------------------------------

@row(1, "0 to 3 bytes are ignored")
def short_header(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    stranger.send(*(b"\0" * length for length in range(4)), b"\0\0\5", b"\xff")
    silent(stranger)


@row(2, "a foreign network is answered at a limited rate, its CONNECT_FAILED never")
def foreign_network(scene):
    node = scene.node(network=7)
    stranger = scene.stranger(node)
    began = time.monotonic()
    stranger.send(*[bare("JOIN", network=9)] * 300)
    answers = stranger.received()
    seconds = time.monotonic() - began + 1
    must(1 <= len(answers) <= ANSWERS_MAX * (seconds + 1), f"{len(answers)} answers for 300")
    for answer in answers:
        must(Q2P(answer).network_id == 7 and Q2P(answer).event_name() == "CONNECT_FAILED" and
             Q2P(answer).reason.decode() == WIRE["reason"][:8], f"the answer is {answer.hex()}")
    payer = scene.stranger(node)
    payer.send(address("TOUCHED", payer.text, network=9))
    must(payer.expect("CONNECT_FAILED").reason.decode() == WIRE["reason"], "it tells less than all")
    other = scene.stranger(node)
    other.send(*[bare("CONNECT_FAILED", network=9) + b"no"] * 20)
    silent(other)
    must(node.seen("mismatch"), "the mismatch is not told")


@row(3, "TEST and numbers without meaning are ignored")
def unknown_events(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    for dialect in BOTH:
        stranger.send(bare("TEST", dialect=dialect), bare("TEST", dialect=dialect) + b"body")
    stranger.send(*(b"\0\0" + number.to_bytes(2, "little") + b"x" * extra
                    for number in (13, 99, 255, 256, 65535) for extra in (0, 16, 508)))
    silent(stranger)


# ---- membership ---------------------------------------------------------------------------

def join(stranger):
    """JOIN, and the answer to whether the joiner is there."""
    stranger.send(bare("JOIN"))
    stranger.expect("CONNECT")
    stranger.send(bare("CONNECTED"))


@row(4, "a node without seeds takes JOIN, CONNECT and CONNECTED")
def without_seeds(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    stranger.send(bare("CONNECTED"), bare("CONNECT"), bare("JOIN"))
    node.wait_for("join", peer=stranger.text)


@row(5, "repeated JOINs cause no more than one TOUCHREQUEST each, in the end none")
def repeated_join(scene):
    node = scene.node()
    member, joiner = scene.stranger(node), scene.stranger(node)
    join(member)
    joiner.send(*[bare("JOIN"), bare("JOIN") + b"trailing"] * 100)
    node.wait_for("join", peer=joiner.text)
    silent(member)
    questions = joiner.received(0.001)
    must(1 <= len(questions) <= 3 * ANSWERS_MAX and set(questions) == {bare("CONNECT")},
         f"{len(questions)} questions, or others, for 200 JOINs")
    joiner.send(bare("CONNECTED"), *[bare("JOIN"), bare("JOIN") + b"trailing"] * 100)
    asked = [data for data in member.received() if Q2P(data).event_name() == "TOUCHREQUEST"]
    must(1 <= len(asked) <= 3 * ANSWERS_MAX, f"{len(asked)} TOUCHREQUESTs for 200 JOINs")
    must(all(Q2P(data).address.decode() == joiner.text for data in asked), "they name another")


def asked_by_join(scene, node, strangers):
    """How many of them a node asks to touch somebody who joins now."""
    for stranger in strangers:
        stranger.received(0.001)
    joiner = scene.stranger(node)
    joiner.send(bare("JOIN"))
    if bare("CONNECT") in joiner.received():  # originals do not ask whether it is there
        joiner.send(bare("CONNECTED"))
    time.sleep(SILENCE)
    return sum(any(Q2P(data).event_name() == "TOUCHREQUEST" for data in stranger.received(0.001))
               for stranger in strangers)


@row(6, "the limit of peers holds on every path")
def peers_limit(scene):
    node = scene.node("--peers-max", 3)
    strangers = [scene.stranger(node) for _ in range(6)]
    for stranger in strangers:
        join(stranger)
    for stranger in strangers:
        stranger.send(address("TOUCHREQUEST", strangers[0].text),
                      address("CONNECTREQUEST", strangers[0].text), bare("CONNECT"),
                      bare("CONNECTED"))
    must(asked_by_join(scene, node, strangers) == 3, "not just three peers are asked")


@row(7, "CONNECT from 300 ports stores nobody unexpected")
def connect_flood(scene):
    node = scene.node()
    strangers = [scene.stranger(node) for _ in range(300)]
    for stranger in strangers:
        stranger.send(bare("CONNECT"), bare("CONNECTED"))
    silent(*strangers)
    must(asked_by_join(scene, node, strangers) == 0, "an unexpected CONNECT was stored")
    node = scene.node("--original")  # stores whoever connects, and asks all of them at once
    for stranger in strangers:
        stranger.send(bare("CONNECT"), bare("CONNECTED"), to=node.address)
    asked = asked_by_join(scene, node, strangers)
    must(1 <= asked <= PEERS_MAX, f"{asked} peers are stored")


def member_of(scene, *options):
    """A node that has joined through a seed of ours."""
    seed = scene.stranger()
    node = scene.node("--seed", seed.text, *options)
    seed.to = node.address
    seed.expect("JOIN")
    return node, seed


@row(8, "TOUCHREQUEST counts from peers only, and at a limited rate")
def touch_request(scene):
    node, seed = member_of(scene)
    stranger, victim = scene.stranger(node), scene.stranger()
    stranger.send(*[address("TOUCHREQUEST", victim.text)] * 20)
    silent(stranger, victim)
    seed.send(address("TOUCHREQUEST", victim.text))
    victim.expect("TOUCH")
    must(seed.expect("TOUCHED").address.decode() == victim.text, "TOUCHED names another")
    limited_touches(scene, seed)


def limited_touches(scene, seed, event="TOUCHREQUEST"):
    victims = [scene.stranger() for _ in range(200)]
    seed.send(*(address(event, victim.text) for victim in victims))
    time.sleep(SILENCE)
    hit = sum(bool(victim.received(0.001)) for victim in victims)
    must(hit <= 3 * ANSWERS_MAX, f"one {event} after the other reached {hit} of 200 third parties")


@row(9, "CONNECTREQUEST counts from own seeds only, and at a limited rate")
def connect_request(scene):
    node, seed = member_of(scene)
    stranger, victim = scene.stranger(node), scene.stranger()
    join(stranger)
    stranger.send(*[address("CONNECTREQUEST", victim.text)] * 20)
    silent(stranger, victim)
    seed.send(address("CONNECTREQUEST", victim.text))
    victim.expect("CONNECT")
    limited_touches(scene, seed, "CONNECTREQUEST")


@row(10, "TOUCHED counts for who joined and from whom was asked only")
def touched(scene):
    node = scene.node()
    member, joiner, victim = scene.stranger(node), scene.stranger(node), scene.stranger()
    join(member)
    join(joiner)
    member.expect("TOUCHREQUEST")
    member.send(address("TOUCHED", victim.text))
    scene.stranger(node).send(address("TOUCHED", victim.text), address("TOUCHED", joiner.text))
    joiner.received(0.001)
    joiner.send(address("TOUCHED", member.text))  # has joined, but was not asked
    silent(victim, joiner, member)
    member.send(address("TOUCHED", joiner.text))
    must(joiner.expect("CONNECTREQUEST").address.decode() == member.text, "it names another")


@row(11, "the fan-out of JOINs is bounded")
def join_fan_out(scene):
    node = scene.node()
    members = [scene.stranger(node) for _ in range(30)]
    for member in members:
        join(member)
        node.wait_for("join", peer=member.text)
    for member in members:
        member.received(0.001)
    joiners = [scene.stranger(node) for _ in range(100)]
    began = time.monotonic()
    for joiner in joiners:
        joiner.send(bare("JOIN"), bare("CONNECTED"))
    time.sleep(SILENCE)
    sent = sum(len(member.received(0.01)) for member in members)
    seconds = time.monotonic() - began
    must(sent <= PEERS_MAX * ANSWERS_MAX * (1 + seconds),
         f"100 JOINs made it send {sent} messages in {seconds:.1f} s")


ODD = ["", "garbage", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", ":{port}", "127.0.0.1:domain",
       "127.0.0.1:{port}\0", " 127.0.0.1:{port}", "127.0.0.1:{port} ", "::1:{port}",
       "[::ffff:127.0.0.1%lo]:{port}", "[::1%lo]:{port}", "255.255.255.255:{port}",
       "224.0.0.1:{port}", "[ff02::1]:{port}", "0.0.0.0:{port}", "[::]:{port}", "{self}",
       "1" * 500, "localhost:{port}", "0x7f.1:{port}", "2130706433:{port}", "127.1:{port}",
       "127.0.0.01:{port}", "127.0.0.1:+{port}", "<nil>", ":0"]


@row(12, "odd addresses reach nobody and are not answered")
def odd_addresses(scene):
    node, seed = member_of(scene)
    victim = scene.stranger()
    port = victim.text.rsplit(":", 1)[1]
    own = "127.0.0.1:%d" % node.address[1]
    for event in ("TOUCHREQUEST", "TOUCHED", "CONNECTREQUEST"):
        seed.send(*(address(event, text.format(port=port, self=own)) for text in ODD))
    answers = [data for data in seed.received() if Q2P(data).event_name() != "JOIN"]
    must(not answers, f"odd addresses were answered, first {answers and answers[0].hex()}")
    silent(victim)


@row(13, "host names are never resolved")
def host_names(scene):
    node, seed = member_of(scene)
    for event in ("TOUCHREQUEST", "TOUCHED", "CONNECTREQUEST"):
        seed.send(*(address(event, f"q2p-{n}.example.invalid:9") for n in range(20)))
    began = time.monotonic()
    deliver(node, scene.random, scene.dialect)
    must(time.monotonic() - began < 5, "it was mute for five seconds")
    must(not socket_count(node, 1), "it has opened another socket")


def socket_count(node, known):
    links = [os.readlink(f"/proc/{node.process.pid}/fd/{fd}")
             for fd in os.listdir(f"/proc/{node.process.pid}/fd")]
    return sum(link.startswith("socket:") for link in links) > known


# ---- TRANSPORT_FAILED ---------------------------------------------------------------------

@row(14, "TRANSPORT_FAILED of 4 to 16 bytes is ignored")
def failed_short(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    for dialect in BOTH:
        whole = lost(scene.key(), [], dialect)
        stranger.send(*(whole[:length] for length in range(4, 17)))
    silent(stranger)


@row(15, "TRANSPORT_FAILED of 17 to 19, 20, 21 and 23 bytes is ignored")
def failed_odd(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    for dialect in BOTH:
        whole = lost(scene.key(), [1], dialect)
        stranger.send(*(whole[:length] for length in (17, 18, 19, 20, 21, 23)))
    silent(stranger)
    must(not node.seen("failed") and not node.seen("lost"), "one of them was believed")


@row(16, "TRANSPORT_FAILED with an unknown key is ignored")
def failed_unknown(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    for dialect in BOTH:
        stranger.send(lost(scene.key(), [0], dialect), lost(scene.key(), [5] * 123, dialect),
                      lost(scene.key(), [0xffffffff, 0], dialect))
    silent(stranger)
    must(not node.seen("lost"), "it was told as a loss")


def sending(scene, receiver, size):
    """A node that sends `size` random bytes to a stranger: the program, the data, the key."""
    data = scene.random.randbytes(size)
    path = os.path.join(scene.folder, "data")
    with open(path, "wb") as file:
        file.write(data)
    program = scene.program("send", "--json", "--ip", "127.0.0.1", "--dialect", scene.dialect,
                            "--to", receiver.text, path)
    port = receiver.socket.getsockname()[1]
    return program, data, key_of(data, scene.dialect, ("127.0.0.1", port))


def collect(receiver, count, dialect):
    """Fragments by SYN, and whom they came from, until that many different ones came."""
    found, sender = {}, None
    while len(found) < count:
        one = receiver.receive()
        must(one, f"only {len(found)} of {count} fragments came")
        name, message, sender = take(one, dialect)
        if name == "TRANSPORT":
            found[message.syn] = bytes(message.payload.payload)
    return found, sender


def take(one, dialect):
    """What a datagram is and says, and who sent it."""
    with speak(dialect):
        message = Q2P(one[0])
        must(fault(one[0]) == "OK", f"malformed: {one[0].hex()}")
        return message.event_name(), message, one[1]


def opened(scene, receiver, key):
    """Where the sender is, after the handshake if its dialect has one."""
    if scene.dialect == "options":
        data, sender = receiver.receive()
        must(data[4:20] == key, "OPTIONS has another key")
        receiver.send(feedback(key), to=sender)


@row(17, "lost fragments are sent again to their receiver only, within a budget")
def resend_theft(scene):
    receiver, thief = scene.stranger(), scene.stranger()
    _, data, key = sending(scene, receiver, 100 * FRAGMENT_LEN)
    opened(scene, receiver, key)
    found, sender = collect(receiver, 100, scene.dialect)
    must(b"".join(found[syn] for syn in sorted(found)) == data, "other bytes were sent")
    thief.send(*[lost(key, range(123), scene.dialect)] * 5, to=sender)
    thief.send(lost(key, [], scene.dialect), to=sender)
    silent(thief)
    receiver.received()
    receiver.send(*[lost(key, [0, 5, 5, 7, 100, 0xffffffff], scene.dialect)] * 10, to=sender)
    again = receiver.received()
    must(3 <= len(again) <= 30, f"{len(again)} fragments came for 10 lists of the same three")


# ---- TRANSPORT ----------------------------------------------------------------------------

@row(18, "TRANSPORT of every length from 4 to 29 bytes")
def transport_short(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    for dialect in BOTH:
        whole = fragment(scene.key(), 1000, 0, b"x" * 8, dialect)
        stranger.send(*(whole[:length] for length in range(4, 30)
                        if (dialect, length) != ("classic", 24)))  # those 24 bytes are an OPTIONS
    silent(stranger, silence=0.8)  # longer than the list timer: no state was opened
    must(not node.seen("receiving") and not node.seen("delivered"), "one of them was believed")


@row(19, "SYNs beyond the announced length are ignored")
def syn_beyond(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    key, data = scene.key(), b"x" * FRAGMENT_LEN
    for syn in (3, 4, 0x7fffffff, 0x80000000, 0xffffffff):
        stranger.send(fragment(key, 1000, syn, data))
    silent(stranger, silence=0.8)
    with Stranger(node) as other:
        other.send(start(key, 1000))
        other.expect("OPTIONSFEEDBACK", "options")
        for syn in (3, 4, 0x7fffffff, 0x80000000, 0xffffffff):
            other.send(fragment(key, 0, syn, data, "options"))
        must(is_list(other.expect("TRANSPORT_FAILED", "options").original, "options") == [0, 1, 2],
             "not all three fragments are missing")
    undelivered(node, key)


@row(20, "an empty fragment with an unknown key is ignored")
def unknown_empty(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    for length in (0, 1000):
        stranger.send(fragment(scene.key(), length, 0, b""),
                      fragment(scene.key(), 0, length, b"", "options"))
    silent(stranger, silence=0.8)
    must(not node.seen("receiving"), "it was believed")


@row(21, "a late resend, with length 0 and an unknown key, is ignored")
def late_resend(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    stranger.send(fragment(scene.key(), 0, 2, b"x" * FRAGMENT_LEN),
                  fragment(scene.key(), 0, 2, b"x" * FRAGMENT_LEN, "options"))
    silent(stranger, silence=0.8)
    must(not node.seen("receiving"), "it was believed")


@row(22, "a length of 4 GiB reserves nothing", growth=2 * MIB)
def length_4g(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    stranger.send(fragment(scene.key(), 0xffffffff, 0, b"x" * FRAGMENT_LEN),
                  start(scene.key(), 0xffffffff))
    deliver(node, scene.random, scene.dialect)
    must(not node.seen("receiving", length=0xffffffff), "it was believed")
    must(all(is_list(data, dialect) in (None, []) for data in stranger.received(0.8)
             for dialect in BOTH), "it asks for the fragments")


@row(23, "five lengths of 4 GiB, and as many of the largest allowed, reserve nothing",
     growth=2 * MIB)
def lengths_4g(scene):
    node = scene.node()
    for length in (0xffffffff, 64 * MIB):
        stranger = scene.stranger(node)
        for _ in range(5):
            stranger.send(start(scene.key(), length),
                          fragment(scene.key(), length, 7, b"x" * FRAGMENT_LEN))
    deliver(node, scene.random, scene.dialect)


@row(24, "20 000 starts: states per peer and in all are bounded")
def many_starts(scene):
    node = scene.node()
    strangers = [scene.stranger(node) for _ in range(10)]
    for burst in range(100):
        for stranger in strangers:
            for _ in range(10):
                stranger.send(start(scene.key(), 1000),
                              fragment(scene.key(), 1000, 0, b"x" * FRAGMENT_LEN))
        time.sleep(0.01)
    deliver(node, scene.random, scene.dialect)
    open_now, most = {}, 0
    for line in node.lines:
        if line["type"] in ("receiving", "expired", "corrupt", "delivered"):
            open_now.setdefault(line["peer"], set()).symmetric_difference_update({line["hash"]})
            most = max(most, len(open_now[line["peer"]]))
    must(1 <= most <= INCOMING_PEER_MAX, f"one peer had {most} transmissions open at a time")


@row(25, "a length of 0 is delivered at once, once, as 0 bytes")
def length_zero(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    key = key_of(b"", "options", node.address)
    stranger.send(start(key, 0))
    stranger.expect("OPTIONSFEEDBACK", "options")
    must(node.wait_for("delivered", hash=key.hex())["length"] == 0, "it has bytes")
    stranger.send(start(key, 0), fragment(key, 0, 0, b"", "options"), fragment(key, 0, 0, b""))
    deliver(node, scene.random, scene.dialect)
    must(len(node.seen("delivered", hash=key.hex())) == 1, "it was delivered again")


@row(26, "OPTIONS of 23 or 25 bytes, OPTIONSFEEDBACK of 19 or 21 are ignored")
def options_lengths(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    stranger.send(start(scene.key(), 1000)[:23], start(scene.key(), 1000) + b"\0",
                  feedback(scene.key())[:19], feedback(scene.key()) + b"\0")
    silent(stranger)
    must(not node.seen("receiving"), "one of them was believed")


@row(27, "OPTIONSFEEDBACK counts from the receiver only")
def feedback_theft(scene):
    receiver, thief = scene.stranger(), scene.stranger()
    program, data, key = sending(scene, receiver, 11 * FRAGMENT_LEN)
    if scene.dialect == "options":
        name, message, sender = take(receiver.receive(), "options")
        must(name == "OPTIONS" and message.length == len(data), "no OPTIONS came")
        thief.send(*[feedback(key)] * 3, to=sender)
        silent(thief)
        receiver.send(feedback(key), to=sender)
    found, sender = collect(receiver, 11, scene.dialect)
    must(b"".join(found[syn] for syn in sorted(found)) == data, "other bytes were sent")
    silent(thief)
    must(program.process.poll() in (None, 0), "the sender gave up")


@row(28, "OPTIONSFEEDBACK with an unknown key is ignored")
def feedback_unknown(scene):
    node = scene.node()
    stranger = scene.stranger(node)
    stranger.send(*(feedback(scene.key()) for _ in range(20)))
    silent(stranger)


def half_sent(scene, node, stranger, dialect, length=2 * FRAGMENT_LEN):
    """Opens a transmission in which fragment 0 is missing: data, key."""
    data = scene.random.randbytes(length)
    key = key_of(data, dialect, node.address)
    if dialect == "options":
        stranger.send(start(key, length))
        stranger.expect("OPTIONSFEEDBACK", "options")
    stranger.send(all_fragments(key, data, dialect)[1])
    node.wait_for("receiving", hash=key.hex())
    return data, key


def completed(node, stranger, data, key, dialect):
    """Fragment 0 is still missing, and with it the data arrive as they are."""
    undelivered(node, key)
    while True:
        listed = is_list(stranger.expect("TRANSPORT_FAILED", dialect).original, dialect)
        if listed:
            break
    must(listed == [0], f"it lacks {listed}, not [0]")
    stranger.send(all_fragments(key, data, dialect)[0])
    found = node.wait_for("delivered", hash=key.hex())
    must(found["sha256"] == hashlib.sha256(data).hexdigest(), "other bytes were delivered")
    must(len(node.seen("delivered", hash=key.hex())) == 1, "it was delivered twice")


def wrong_first(scene, bodies):
    node = scene.node()
    for dialect in BOTH:
        stranger = scene.stranger(node)
        data, key = half_sent(scene, node, stranger, dialect)
        stranger.send(*(fragment(key, len(data), 0, body, dialect) for body in bodies))
        completed(node, stranger, data, key, dialect)


@row(29, "a fragment of 488 bytes is not taken")
def body_488(scene):
    wrong_first(scene, [b"x" * 488])


@row(30, "a fragment of 700 bytes is not taken")
def body_700(scene):
    wrong_first(scene, [b"x" * 700])


@row(31, "fragments of 0, 10 and 483 bytes are not taken for 484")
def body_short(scene):
    wrong_first(scene, [b"", b"x" * 10, b"x" * 483])


@row(32, "a stranger cannot put a fragment in, and wrong bytes are not delivered")
def poison(scene):
    node = scene.node()
    for dialect in BOTH:
        peer, stranger = scene.stranger(node), scene.stranger(node)
        data, key = half_sent(scene, node, peer, dialect)
        stranger.send(*[fragment(key, len(data), 0, b"p" * FRAGMENT_LEN, dialect)] * 3)
        completed(node, peer, data, key, dialect)
    data = scene.random.randbytes(100)
    key = key_of(data, "classic", node.address)
    scene.stranger(node).send(fragment(key, 100, 0, b"p" * 100))
    node.wait_for("corrupt", hash=key.hex())
    undelivered(node, key)


@row(33, "duplicates after completion deliver nothing again")
def duplicates(scene):
    node = scene.node()
    for dialect in BOTH:
        stranger = scene.stranger(node)
        data, key = half_sent(scene, node, stranger, dialect)
        completed(node, stranger, data, key, dialect)
        stranger.send(*all_fragments(key, data, dialect) * 3)
        deliver(node, scene.random, dialect)
        must(len(node.seen("delivered", hash=key.hex())) == 1, "it was delivered again")


@row(34, "duplicates of a finished transmission open no ghost")
def late_duplicates(scene):
    node = scene.node()
    for dialect in BOTH:
        stranger = scene.stranger(node)
        data, key = half_sent(scene, node, stranger, dialect)
        completed(node, stranger, data, key, dialect)
        stranger.received()
        stranger.send(*all_fragments(key, data, dialect))
        silent(stranger, silence=1.2)  # two list timers


@row(35, "a node whose seed is itself is refused")
def own_seed(scene):
    with Stranger() as place:
        port = place.socket.getsockname()[1]
    ended = subprocess.run([scene.binary, "node", "--ip", "127.0.0.1", "--port", str(port), "--seed",
                            f"127.0.0.1:{port}"], capture_output=True, timeout=10, check=False)
    must(ended.returncode == 2, f"it ends with {ended.returncode}, not 2")
    must(b"--seed" in ended.stderr, "the message does not name the option")
    node, seed = member_of(scene)  # and nobody else talks it into it
    own = "127.0.0.1:%d" % node.address[1]
    seed.send(*(address(event, own) for event in ("TOUCHREQUEST", "TOUCHED", "CONNECTREQUEST")))
    answers = [data for data in seed.received() if Q2P(data).event_name() != "JOIN"]
    must(not answers, f"it was answered: {answers and answers[0].hex()}")
    must(not node.seen("connect") and not node.seen("connected"), "it connected to itself")


@row(36, "both dialects are read at once, whichever the node speaks")
def mixed_dialects(scene):
    node = scene.node()
    for dialect in BOTH + BOTH:
        deliver(node, scene.random, dialect)
    stranger = scene.stranger(node)
    data = scene.random.randbytes(900)
    for dialect in BOTH:  # from one and the same address
        key = key_of(data + dialect.encode(), dialect, node.address)
        if dialect == "options":
            stranger.send(start(key, len(data + b"options")))
            stranger.expect("OPTIONSFEEDBACK", "options")
        stranger.send(*all_fragments(key, data + dialect.encode(), dialect))
        node.wait_for("delivered", hash=key.hex())


@row(37, "losses are repaired with the default timers")
def repair(scene):
    node = scene.node()
    way = scene.stranger(node)
    _, data, key = sending(scene, way, 100_000)
    key = key_of(data, scene.dialect, ("127.0.0.1", way.socket.getsockname()[1]))
    count, sender, end = 0, None, time.monotonic() + 20
    while not node.seen("delivered", hash=key.hex()):
        must(time.monotonic() < end, "it did not arrive")
        one = way.receive(0.1)
        if one is None:
            continue
        if one[1] == node.address:
            way.send(one[0], to=sender)
            continue
        sender = one[1]
        count += len(one[0]) > 100
        if len(one[0]) < 100 or count % 20:  # every 20th fragment is lost
            way.send(one[0])
    found = node.seen("delivered", hash=key.hex())[0]
    must(found["sha256"] == hashlib.sha256(data).hexdigest(), "other bytes were delivered")


@row(38, "a list timer of 0 is refused")
def list_timer_zero(scene):
    for value in ("0", "0s", "0ms", "-1s"):
        ended = subprocess.run([scene.binary, "node", "--ip", "127.0.0.1", "--port", "0", "--lost",
                                value], capture_output=True, timeout=10, check=False)
        must(ended.returncode == 2, f"--lost {value} ends with {ended.returncode}, not 2")
        must(b"--lost" in ended.stderr, "the message does not name the option")
    scene.node()


# ---- running ------------------------------------------------------------------------------

def settle(scene, function):
    """What must hold after every row."""
    for node in scene.nodes:
        must(node.alive(), f"the node died: {node.errors.decode()[-2000:]}")
        deliver(node, scene.random, scene.dialect)
        must(node.alive(), "the node died")
        if not scene.sanitized:
            must(node.grown() <= function.growth,
                 f"the node grew by {node.grown() // 1024} KiB, more than "
                 f"{function.growth // 1024}")


def run(number, args, folder):
    function = ROWS[number]
    scene = Scene(args.binary, args.dialect, args.seed * 1000 + number)
    scene.folder, scene.sanitized = folder, args.sanitized
    try:
        with scene.stack:
            function(scene)
            settle(scene, function)
    except Failed as failed:
        print(f"row {number:2}  FAILED  {function.sentence}\n        {failed}", flush=True)
        return False
    print(f"row {number:2}  fine    {function.sentence}", flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.environ.get("Q2P_BINARY", ROOT / "build/bin/q2p"))
    parser.add_argument("--dialect", choices=BOTH, default="classic")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--row", type=int, nargs="+", default=sorted(ROWS))
    parser.add_argument("--sanitized", action="store_true", help="do not judge memory")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    if args.list:
        for number in sorted(ROWS):
            print(f"{number:2}  {ROWS[number].sentence}")
        return 0
    must(sorted(ROWS) == list(range(1, 39)), "a row is missing")
    with tempfile.TemporaryDirectory() as folder:
        failed = [number for number in args.row if not run(number, args, folder)]
    if failed:
        print(f"again: {sys.argv[0]} --binary {args.binary} --dialect {args.dialect} "
              f"--seed {args.seed} --row {' '.join(map(str, failed))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
