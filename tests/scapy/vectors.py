# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares tests/vectors/wire.json with the Scapy layer; used by q2p.uts."""
import json

from q2p import LAYERS, SHAPES, Q2P, Q2PFragment, address_text, fault, speak


def unhex(text):
    data = b""
    for word in text.split():
        digits, _, times = word.partition("*")
        data += bytes.fromhex(digits) * int(times or 1)
    return data


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)["vectors"]


def span_of(data, layer, name):
    """Where the layer has the field: everything before it, built again."""
    at = len(data) - len(layer.original)
    for field in layer.fields_desc:
        if field.name == name:
            return [at, len(field.addfield(layer, b"", layer.getfieldval(name)))]
        at += len(field.addfield(layer, b"", layer.getfieldval(field.name)))
    return None


def differences(vector):
    """Every point in which the layer reads another thing than the vector says."""
    data = unhex(vector["hex"])
    if vector.get("total", len(data)) != len(data) or vector["dialect"] == "unknown":
        return []  # Scapy sees whole datagrams in a known dialect
    with speak(vector["dialect"]):
        return compare(vector, data)


def compare(vector, data):
    wrong = []

    def want(what, got, wanted):
        if got != wanted:
            wrong.append("%s: %s is %r, not %r" % (vector["name"], what, got, wanted))

    want("status", fault(data), vector["status"])
    if len(data) < 4:
        return wrong
    message = Q2P(data)
    want("event", message.event_name(), vector["event"])
    want("number", message.event, vector["number"])
    want("network_id", message.network_id, vector["network_id"])
    layer = message.payload
    if not isinstance(layer, tuple(LAYERS.values())):
        return wrong
    spans = dict(vector["spans"])
    for name in ("hash", "length", "syn", "reason"):
        if name in vector and name in layer.fields:
            value = layer.fields[name]
            if isinstance(value, bytes):
                value = value.hex() if name == "hash" else value.decode("latin-1")
            want(name, value, vector[name])
        if name in spans and name in layer.fields:
            want("span of " + name, span_of(data, layer, name), spans[name])
    if "address" in layer.fields:
        want("address", address_text(layer.address.decode("latin-1")), vector.get("address"))
    if "lost" in layer.fields:
        want("lost_count", len(layer.lost), vector.get("lost_count"))
        if "lost" in vector:
            want("lost", layer.lost, vector["lost"])
    if isinstance(layer, Q2PFragment) and layer.payload:
        body = len(layer.payload)
        want("span of body", [len(data) - body, body], spans.get("body"))
    want("bytes when built again", bytes(message.copy()), data)
    if vector.get("writes"):
        want("bytes when built from fields", rebuilt(message, layer), data)
    return wrong


def rebuilt(message, layer):
    """A message of the same fields, built without any of the old bytes."""
    fresh = type(layer)(**layer.fields)
    packet = Q2P(network_id=message.network_id, event=message.event_name()) / fresh
    return bytes(packet / bytes(layer.payload) if len(layer.payload) else packet)


def shapes_seen(vectors):
    return {SHAPES[v["event"]] for v in vectors if v["event"] in SHAPES}
