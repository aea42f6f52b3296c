# SPDX-License-Identifier: GPL-2.0-or-later
# scapy.contrib.description = Q2P peer-to-peer protocol (classic, options, early dialect)
# scapy.contrib.status = loads
"""
Q2P for Scapy, written from the standard (libq2p/PROTOCOL.md) and independent of the C codec: the
two check each other through tests/vectors. Only the maps are shared: event numbers come from the
JSON that dump_wire prints out of wire.h: the file Q2P_WIRE_JSON, else build/tests/wire.json.

There is no version on the wire, so the dialect is a switch:

    conf.contribs["Q2P"]["dialect"] = "options"      or for a while      with speak("options"): ...
    Q2P(event="OPTIONS") / Q2PStart(hash=key, length=5000)
    Q2P(event="TRANSPORT") / Q2PFragment(hash=key, length=5000, syn=0) / b"..."
"""
import contextlib
import ipaddress
import json
import os
import pathlib
import re

from scapy.config import conf
from scapy.fields import (ConditionalField, FieldListField, LEIntField, LEShortField, StrField,
                          XStrFixedLenField)
from scapy.layers.inet import UDP
from scapy.packet import Packet, Raw, bind_bottom_up, bind_layers

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAPS = pathlib.Path(os.environ.get("Q2P_WIRE_JSON", ROOT / "build/tests/wire.json"))
if not MAPS.exists():
    raise SystemExit(f"{MAPS}: not there; ./dev test makes it in build/tests, Q2P_WIRE_JSON names another")
WIRE = json.loads(MAPS.read_text(encoding="utf-8"))
DIALECTS = ("early", "classic", "options")
EVENTS = {dialect: {event[dialect]: event["name"] for event in WIRE["events"]
                    if event[dialect] >= 0} for dialect in DIALECTS}
NUMBERS = {dialect: {name: number for number, name in EVENTS[dialect].items()}
           for dialect in DIALECTS}
SHAPES = {event["name"]: event["shape"] for event in WIRE["events"]}
HASH_LEN = WIRE["hash_len"]
FRAGMENT_LEN = WIRE["fragment_len"]
DATAGRAM_MAX = WIRE["datagram_max"]

conf.contribs["Q2P"] = {"dialect": "classic"}


def dialect():
    return conf.contribs["Q2P"]["dialect"]


@contextlib.contextmanager
def speak(name):
    before = dialect()
    conf.contribs["Q2P"]["dialect"] = name
    try:
        yield
    finally:
        conf.contribs["Q2P"]["dialect"] = before


def has_length(_packet):
    return dialect() != "options"


class EventField(LEShortField):
    """A number on the wire, whose name depends on the dialect."""

    def any2i(self, pkt, x):
        return NUMBERS[dialect()][x] if isinstance(x, str) else x

    def i2repr(self, pkt, x):
        return EVENTS[dialect()].get(x, str(x))


class Message(Packet):
    """What follows the header; bytes behind its last field are the body, or too many."""
    least = 0  # bytes, or it is not this message

    def guess_payload_class(self, payload):
        return Raw


class Q2PAddress(Message):
    name = "Q2P address"
    fields_desc = [StrField("address", "127.0.0.1:10000")]

    def mysummary(self):
        return self.sprintf("%Q2P.event% %Q2PAddress.address%"), [Q2P]


class Q2PReason(Message):
    name = "Q2P reason"
    fields_desc = [StrField("reason", WIRE["reason"])]


class Q2PHash(Message):
    name = "Q2P key"
    least = HASH_LEN
    fields_desc = [XStrFixedLenField("hash", b"\0" * HASH_LEN, HASH_LEN)]


class Q2PStart(Message):
    name = "Q2P start of a transmission"
    least = HASH_LEN + 4
    fields_desc = Q2PHash.fields_desc + [LEIntField("length", 0)]


class Q2PFragment(Message):
    name = "Q2P fragment"
    fields_desc = Q2PHash.fields_desc + [ConditionalField(LEIntField("length", 0), has_length),
                                         LEIntField("syn", 0)]

    def mysummary(self):
        return self.sprintf("fragment %Q2PFragment.syn% of %Q2PFragment.hash%"), [Q2P]


class Q2PList(Message):
    name = "Q2P lost fragments"
    least = HASH_LEN
    fields_desc = Q2PHash.fields_desc + [
        FieldListField("lost", [], LEIntField("syn", 0),
                       length_from=lambda packet: packet.room // 4 * 4)]
    __slots__ = ["room"]

    def do_dissect(self, s):
        self.room = len(s) - HASH_LEN
        return super().do_dissect(s)


LAYERS = {"ADDRESS": Q2PAddress, "TEXT": Q2PReason, "START": Q2PStart, "HASH": Q2PHash,
          "FRAGMENT": Q2PFragment, "LIST": Q2PList}


class Q2P(Packet):
    name = "Q2P"
    fields_desc = [LEShortField("network_id", 0), EventField("event", 0)]

    def event_name(self):
        return EVENTS[dialect()].get(self.event, "UNKNOWN")

    def guess_payload_class(self, payload):
        shape = SHAPES.get(self.event_name())
        layer = LAYERS.get(shape, Raw)
        least = HASH_LEN + (8 if has_length(self) else 4) if shape == "FRAGMENT" else \
            getattr(layer, "least", 0)
        return layer if len(payload) >= least else Raw

    def mysummary(self):
        return "Q2P %s, network %d" % (self.event_name(), self.network_id)


def usable(text):
    """The address behind a text as ip_address and port, or None (PROTOCOL.md 3.2)."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([0-9]{1,5})", text, re.ASCII)
    if not match or len(text) > 64 or not 0 < int(match[3]) < 65536:
        return None
    try:
        ip = ipaddress.IPv6Address(match[1]) if match[1] else ipaddress.IPv4Address(match[2])
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip, int(match[3])


def address_text(text):
    """The address as a node prints it, or None."""
    found = usable(text)
    if found is None:
        return None
    return ("[%s]:%d" if found[0].version == 6 else "%s:%d") % found


def fragments(length):
    return (length + FRAGMENT_LEN - 1) // FRAGMENT_LEN


def share(length, syn):
    return min(FRAGMENT_LEN, length - syn * FRAGMENT_LEN)


def fragment_fault(layer):
    body = len(layer.payload)
    length = layer.length if has_length(layer) else 0
    if body == 0:
        return "ERR_EMPTY"
    if length and layer.syn >= fragments(length):
        return "ERR_SYN"
    if body > FRAGMENT_LEN or (length and body != share(length, layer.syn)):
        return "ERR_SHARE"
    return None


def fault(data):
    """What is wrong with a whole datagram, in the words of status.h; "OK" if nothing is."""
    if len(data) < WIRE["header_len"]:
        return "ERR_SHORT"
    message = Q2P(data)
    shape = SHAPES.get(message.event_name())
    if shape is None:
        return "ERR_UNKNOWN"
    layer = message.payload
    if shape != "BARE" and len(data) == WIRE["header_len"]:
        layer = LAYERS[shape]() if shape == "TEXT" else None  # an empty reason is one, too
        if shape != "TEXT":
            return "ERR_ADDRESS" if shape == "ADDRESS" else "ERR_SHORT"
    elif shape != "BARE" and not isinstance(layer, LAYERS[shape]):
        return "ERR_SHORT"
    found = None
    if shape == "ADDRESS" and usable(layer.address.decode("latin-1")) is None:
        found = "ERR_ADDRESS"
    elif shape == "FRAGMENT":
        found = fragment_fault(layer)
    elif shape == "LIST" and len(layer.payload):
        found = "ERR_LIST"
    elif shape in ("START", "HASH") and len(layer.payload) and not (
            dialect() == "options" and len(data) == WIRE["extended_len"]):  # PROTOCOL.md 6.8
        found = "ERR_LENGTH"
    return found or ("ERR_OVERSIZE" if len(data) > DATAGRAM_MAX else "OK")


bind_layers(UDP, Q2P, sport=WIRE["port"], dport=WIRE["port"])
bind_bottom_up(UDP, Q2P, dport=WIRE["port"])
bind_bottom_up(UDP, Q2P, sport=WIRE["port"])
