"""What everybody who implements docs/PROTOCOL.md must refuse, by the decoder that it comes to.

Each case has its bytes, and the fault that they are: `malformed`, or a word of `anonp2p/reasons.py`, as what another
program calls it is its own affair. Cases are made from what the other vectors hold, which is all well-formed.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import msgpack

from anonp2p import limits
from anonp2p.crypto import padding, suite
from anonp2p.crypto.epoch import KEPT
from anonp2p.crypto.identity import Identity
from anonp2p.crypto.ratchet import Ratchet
from anonp2p.protocol.packing import pack, unpack
from anonp2p.protocol.requests import AnyRequest
from tests.support.packed import malformed_forms

Vectors = dict[str, Any]
_SMALL_ORDER = (  # y coordinates of points of order 1, 2, 4 and 8, and one that is no canonical form
    (1).to_bytes(32, "little"),
    (2**255 - 20).to_bytes(32, "little"),
    bytes(32),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    (2**255 - 18).to_bytes(32, "little"),
)


def negative(held: dict[str, Vectors], boxes: Any) -> Vectors:
    """All cases. held: the other vectors, by their files; boxes: see `make.Boxes`."""
    handshakes, log, welcomed = held["handshake"], held["log"], held["welcome"]
    return {
        "0.2 packed": dict(_packed(handshakes, log, welcomed, held["succession"])),
        "0.6 encryption keys": [
            {"what": what, "bytes": key, "fault": "unusable-key"}
            for what, key in _encryption_keys(held["notation"]["3.1 members"][1]["encryption key"])
        ],
        "0.7 keys": [{"bytes": key, "fault": "bad-key"} for key in _SMALL_ORDER],
        "0.8 padded": [{"what": what, "bytes": padded, "fault": "padding"} for what, padded in _padded(b"a text", 32)],
        "2.1 streams": [
            {"what": f"a length of {length}", "bytes": length.to_bytes(2, "big"), "fault": fault}
            for length, fault in ((0, "payload-length"), (477, "payload-length"), (61_439, "payload-too-long"))
        ],
        "2.2 hellos": list(_hellos(handshakes["2.2 hello, 2.4 client handshake"][0]["2.2 hello"]["content"])),
        "2.4 client handshakes": _client_handshakes(handshakes["2.2 hello, 2.4 client handshake"][0], boxes),
        "2.6 records": list(_records(handshakes["2.6 records"])),
        "2.12, 2.13 answers": _answers(handshakes["2.6 records"], log["room"]),
        "4.1 headers": [{"what": what, "bytes": text, "fault": fault} for what, text, fault in _headers(log)],
        "4.4 bodies": list(_bodies(_first(log, "Text"), log["room"])),
        "4.5 batches": list(_batches(log["4.5 in the order of the wire"][1])),
        "5.15 boxes": list(_private_boxes(log["5.15 boxes"][0], log["room"])),
        "6.9 commit shares": list(_shares(held["epochs"])),
        "7.1 welcomes": _welcomes(welcomed),
        "8.6 addresses": list(_addresses(held["succession"])),
        "8.7 room keys": list(_room_keys(held["succession"], boxes)),
        "8.9 answers of heirs": list(_waiting(held["succession"])),
        "8.15 redirects": list(_redirects(handshakes["2.6 records"], held["notation"]["3.1 members"], log["room"])),
    }


def _packed(
    handshakes: Vectors, log: Vectors, welcomed: Vectors, succession: Vectors
) -> Iterator[tuple[str, list[Vectors]]]:
    asked = handshakes["2.2 hello, 2.4 client handshake"]
    for name, each in (("Join", asked[0]), ("Resume", asked[1]), ("Meet", asked[2])):
        yield f"2.4 {name}", _cases(padding.unpad_text(each[f"2.4 {name}"]["text"]))
    seen: set[str] = set()
    for direction, before in (("up", b"\x92\xc2\x91"), ("down", b"\x91\x91")):
        said = handshakes["2.6 records"][direction]
        for number, record in enumerate(said["records"]):
            opened = Ratchet(said["first chain key"]).take_key(number).open_sealed(0, record["content"])
            assert opened is not None
            for name, frame in zip(record["frames"], msgpack.decode(padding.unpad_text(opened))[-1], strict=True):
                if name not in seen:
                    seen.add(name)
                    yield f"2.7 {name} in a record {direction}", _cases_within(before, frame)
    batches = log["4.5 in the order of the wire"]
    for entry in [*(entry for batch in batches for entry in batch["entries"]), *succession["entries"]]:
        content, body = entry["4.4 content"], msgpack.decode(entry["4.4 content"])[-1]
        says = entry["says"] + (" of a file" if isinstance(body[-1], list) and entry["says"] == "Text" else "")
        if says not in seen:
            seen.add(says)
            yield f"4.4 {says}", _cases_within(content[: -len(msgpack.encode(body))], body)
    yield "4.4 content", _cases(batches[0]["entries"][0]["4.4 content"])
    yield "4.5 batch", _cases(batches[0]["4.5 packed"])
    yield "5.15 private text", _cases(log["5.15 boxes"][0]["text"])
    yield "7.1 array", _cases(welcomed["7.1 array"])


def _cases(packed: bytes) -> list[Vectors]:
    return [{"what": what, "bytes": other, "fault": "malformed"} for what, other in malformed_forms(packed)]


def _cases_within(before: bytes, array: list[Any]) -> list[Vectors]:
    """Of what has a tag and stands at the end of something else."""
    forms = [*malformed_forms(msgpack.encode(array)), ("a tag that there is not", msgpack.encode([99, *array[1:]]))]
    return [{"what": what, "bytes": before + other, "fault": "malformed"} for what, other in forms]


def _encryption_keys(key: bytes) -> list[tuple[str, bytes]]:
    quantum, classic = key[:-32], key[-32:]
    return [
        ("an X25519 half of zeros, with which each agreement comes to zeros", quantum + bytes(32)),
        ("an X25519 half of small order", quantum + (1).to_bytes(32, "little")),
        ("an ML-KEM half with numbers that are too large", b"\xff" * len(quantum) + classic),
    ]


def _padded(text: bytes, size: int) -> list[tuple[str, bytes]]:
    padded = padding.pad_text(text, size)
    return [
        ("something other than zeros", padded[:-1] + b"\1"),
        ("a length beyond the end", (size - 1).to_bytes(2, "big") + padded[2:]),
        ("a length that leaves out some of it", (len(text) - 1).to_bytes(2, "big") + padded[2:]),
        ("no length", padded[:1]),
        ("nothing", b""),
    ]


def _hellos(content: bytes) -> Iterator[Vectors]:
    packed = padding.unpad_text(content)
    for what, other in malformed_forms(packed):
        if len(other) + padding.LENGTH <= len(content) and not what.endswith("as field 1"):
            yield {"what": what, "bytes": padding.pad_text(other, len(content)), "fault": "malformed"}
    yield {"what": "a unit more", "bytes": padding.pad_text(packed, len(content) + 480), "fault": "hello-length"}
    yield {"what": "something other than zeros", "bytes": content[:-1] + b"\1", "fault": "padding"}


def _client_handshakes(valid: Vectors, boxes: Any) -> Vectors:
    hello, join = valid["2.2 hello"], valid["2.4 Join"]
    key = suite.EncryptionKeyPair(hello["handshake key seed"])
    box, text, info = join["box"], join["text"], join["info"]
    packed = padding.unpad_text(text)

    label = len(suite.label("client handshake"))
    other = boxes.sealed(key, text, info[:label] + bytes(32) + info[label + 32 :])
    cases = [
        ("a bit turned in the KEM's part", bytes([box[0] ^ 1]) + box[1:], "unreadable-box"),
        ("a bit turned in its tag", box[:-1] + bytes([box[-1] ^ 1]), "unreadable-box"),
        ("cut", box[:-1], "unreadable-box"),
        ("a sender's X25519 key of zeros", box[:1_088] + bytes(32) + box[1_120:], "unreadable-box"),
        ("for another room", other["box"], "unreadable-box"),
    ]
    signature = unpack(AnyRequest, packed).signature
    requests = [
        ("a signature with a bit turned", packed.replace(signature, signature[:-1] + bytes([signature[-1] ^ 1]))),
        ("another digest than was signed for", packed[:-1] + bytes([packed[-1] ^ 1])),
        ("another nick than was signed for", packed.replace(b"\xa3ann", b"\xa3amy")),
    ]
    return {
        "2.2 hello": hello,
        "room": valid["room"],
        "boxes": [{"what": what, "bytes": wrong, "fault": fault} for what, wrong, fault in cases],
        "2.4 for another room": other,
        "2.5 requests": [{"what": what, "bytes": wrong, "fault": "signature"} for what, wrong in requests],
    }


def _records(valid: Vectors) -> Iterator[Vectors]:
    first = valid["up"]["first chain key"]
    sent = [record["content"] for record in valid["up"]["records"]]
    ratchet = Ratchet(first)
    key, record = (
        ratchet.take_next_key(),
        padding.unpad_text(Ratchet(first).take_next_key().open_sealed(0, sent[0]) or b""),
    )
    nonzero = padding.fill_payload(record, suite.TAG)[:-1] + b"\1"
    for what, contents, fault in (
        ("a record repeated", [sent[0], sent[0]], "unreadable-record"),
        ("a record left out", [sent[1]], "unreadable-record"),
        ("a bit turned", [sent[0][:-1] + bytes([sent[0][-1] ^ 1])], "unreadable-record"),
        ("a record of the host", [valid["down"]["records"][0]["content"]], "unreadable-record"),
        ("a unit more than need be", [key.seal_text(0, padding.pad_text(record, 960 - 18))], "payload-padding"),
        ("something other than zeros", [key.seal_text(0, nonzero)], "padding"),
    ):
        yield {"what": what, "first chain key": first, "contents": contents, "fault": fault}


def _answers(valid: Vectors, room: bytes) -> Vectors:
    """Answers that the host has not given on this link; to one who knows no host, by credentials of another."""
    said = {record["frames"][0]: record["2.7 frames"][0] for record in valid["down"]["records"] if record["frames"]}
    _, reason, vouched, signature = said["Refused"]
    _, now, resumed = said["Resumed"]
    address, key, term, credentials = vouched
    stranger = Identity(bytes(32), room)
    hello, other = valid["hello"], suite.hash_data(valid["hello"])
    theirs = stranger.sign(suite.label("refused"), hello + reason["text"].encode())
    refusals = [
        ("another reason than was signed", [4, {"text": "locked"}, vouched, signature], hello, "unsigned-refusal"),
        ("of another link", [4, reason, vouched, signature], other, "unsigned-refusal"),
        ("by one whom nobody vouches for", [4, reason, [address, stranger.key, term, credentials], theirs], hello, ""),
        ("of another term", [4, reason, [address, key, 1, credentials], signature], hello, ""),
        ("of another room", [4, reason, [stranger.key, key, term, credentials], signature], hello, ""),
    ]
    _, vouched_held, held = said["Held"]
    holds = [
        ("of another link", [27, vouched_held, held], other, "unsigned-hold"),
        ("a refusal's", [27, vouched_held, signature], hello, "unsigned-hold"),
        ("of another term", [27, [address, key, 1, credentials], held], hello, ""),
    ]
    resumptions = [
        ("another head than was signed", [7, bytes([now[0] ^ 1]) + now[1:], resumed], hello),
        ("of another link", [7, now, resumed], other),
    ]
    return {
        "room": room,
        "host": key,
        "Refused": [
            {"what": what, "hello": greeted, "frame": frame, "fault": fault or "wrong-credentials"}
            for what, frame, greeted, fault in refusals
        ],
        "Held": [
            {"what": what, "hello": greeted, "frame": frame, "fault": fault or "wrong-credentials"}
            for what, frame, greeted, fault in holds
        ],
        "Resumed": [
            {"what": what, "hello": greeted, "frame": frame, "fault": "unsigned-resumption"}
            for what, frame, greeted in resumptions
        ],
    }


def _first(log: Vectors, says: str) -> Vectors:
    """The first entry that says this."""
    batches = log["4.5 in the order of the wire"]
    return next(entry for batch in batches for entry in batch["entries"] if entry["says"] == says)


def _headers(log: Vectors) -> list[tuple[str, bytes, str]]:
    header, entry = _first(log, "Commit")["4.1 header"], _first(log, "Text")["4.1 header"]
    opening = b"\2" + header[1:17] + bytes(8) + header[25:]
    return [
        ("a kind that there is not", b"\3" + entry[1:], "bad-header"),
        ("an opening with a counter", b"\2" + header[1:], "bad-header"),
        ("an opening with a generation", opening[:25] + (1).to_bytes(4, "big") + opening[29:], "bad-header"),
        ("an opening that ends", opening[:29] + (KEPT - 1).to_bytes(4, "big"), "bad-header"),
        ("a counter of 2^53", entry[:17] + (2**53).to_bytes(8, "big") + entry[25:], "bad-header"),
        ("a commit with a generation", header[:25] + (1).to_bytes(4, "big") + header[29:], "bad-header"),
        ("a commit that ends", header[:29] + (KEPT - 1).to_bytes(4, "big"), "bad-header"),
        ("a byte less", entry[:-1], "header-length"),
        ("a byte more", entry + b"\0", "header-length"),
    ]


def _bodies(valid: Vectors, room: bytes) -> Iterator[Vectors]:
    body, packed = valid["4.4 body"], valid["4.4 content"]
    signature, padded = body[:64], body[64:]
    epoch, header = valid["4.4 signed"][:8], valid["4.1 header"]
    about = {"epoch": int.from_bytes(epoch, "big"), "header": header, "key": valid["4.4 signing key"], "room": room}
    stranger = Identity(bytes(32), room)
    more = padding.pad_text(packed, len(padded) + limits.CONTENT_STEP)
    for what, other, fault in (
        ("padded to no step", signature + padding.pad_text(packed, len(packed) + 3), "body-padding"),
        ("a step more than need be", signature + more, "body-padding"),
        ("something other than zeros", signature + padded[:-1] + b"\1", "padding"),
        ("not padded", signature + packed, "padding"),
    ):
        yield {"what": what, **about, "bytes": other, "fault": fault}
    for what, other in (
        ("signed by another", stranger.sign(suite.label("entry"), epoch + header + padded)),
        ("a bit of its signature turned", signature[:-1] + bytes([signature[-1] ^ 1])),
    ):
        yield {"what": what, **about, "bytes": other + padded, "fault": "forged-entry"}
    yield {"what": "in another epoch", **about, "epoch": about["epoch"] + 1, "bytes": body, "fault": "forged-entry"}
    other_header = header[:24] + bytes([header[24] + 1]) + header[25:]
    yield {"what": "under another counter", **about, "header": other_header, "bytes": body, "fault": "forged-entry"}


def _batches(valid: Vectors) -> Iterator[Vectors]:
    key, content, packed = valid["4.5 log key"], valid["content"], valid["4.5 packed"]
    nonce, size = content[: suite.NONCE], len(content) + padding.LENGTH
    larger = nonce + suite.Key(key).seal_text(nonce, padding.pad_text(packed, 2 * size - 2 - suite.NONCE - suite.TAG))
    for what, other, fault in (
        ("a unit more than need be", larger, "payload-padding"),
        ("a bit turned", content[:-1] + bytes([content[-1] ^ 1]), "none"),
        ("another nonce", bytes(suite.NONCE) + content[suite.NONCE :], "none"),
        ("shorter than a nonce and a tag", content[:20], "none"),
    ):
        yield {"what": what, "4.5 log key": key, "bytes": other, "fault": fault}


def _private_boxes(valid: Vectors, room: bytes) -> Iterator[Vectors]:
    """A box in another place than the one that it was sealed for: to everybody, as if it were for somebody else."""
    place = {"room": room, **{name: valid[name] for name in ("epoch", "author", "counter", "recipient")}}
    about = {"encryption key seed": valid["encryption key seed"], "bytes": valid["box"]}
    for name, other in _elsewhere(place):
        yield {"what": f"another {name}", **about, **other}


def _shares(epochs: Vectors) -> Iterator[Vectors]:
    last = epochs["6.2-6.5 epochs"][-1]
    valid = last["6.9 commit share"]
    place = {"room": epochs["room"], "member": valid["member"], "epoch": last["epoch"], "digest": last["6.2 digest"]}
    about = {"encryption key seed": valid["encryption key seed"], "bytes": valid["box"], "fault": "unreadable-box"}
    for name, other in _elsewhere(place):
        yield {"what": f"another {name}", **about, **other}


def _elsewhere(place: Vectors) -> Iterator[tuple[str, Vectors]]:
    """Other places, each of which differs in one thing."""
    for name, value in place.items():
        other = value + 1 if isinstance(value, int) else bytes([value[0] ^ 1]) + value[1:]
        yield name, {**place, name: other}


def _welcomes(valid: Vectors) -> Vectors:
    text, host = valid["7.1 text"], valid["7.1 signing key"]
    signature, array = text[:64], text[64:]
    hello = valid["2.2 hello"]["hello"]
    stranger = Identity(bytes(32), valid["room"])
    signed = stranger.sign(suite.label("welcome"), hello + suite.hash_data(array))
    cases = [
        ("signed by one who is not its host", signed + array, hello),
        ("of another link", text, suite.hash_data(hello)),
        ("another name of the room than was signed", signature + array.replace(b"\xa4demo", b"\xa4dome", 1), hello),
    ]
    return {
        "room": valid["room"],
        "7.1 signing key": host,
        "texts": [
            {"what": what, "hello": greeted, "bytes": other, "fault": "unsigned-welcome"}
            for what, other, greeted in cases
        ],
    }


def _addresses(succession: Vectors) -> Iterator[Vectors]:
    """Services that have signed for no such member of no such room."""
    valid = succession["8.6 Address"]
    _, address, signature = valid["frame"]
    place = {"room": succession["room"], "member": valid["member"], "address": address}
    for name, other in _elsewhere(place):
        yield {"what": f"another {name}", **other, "signature": signature, "fault": "unsigned-address"}
    turned = signature[:-1] + bytes([signature[-1] ^ 1])
    yield {"what": "a bit of its signature turned", **place, "signature": turned, "fault": "unsigned-address"}


def _room_keys(succession: Vectors, boxes: Any) -> Iterator[Vectors]:
    """Boxes for somebody else or another code, and one with a key that does not lead to the code."""
    valid = succession["8.7 Entrust"]
    key = suite.EncryptionKeyPair(valid["encryption key seed"])
    place = {"room": succession["room"], "member": valid["member"], "code": valid["code"]}
    about = {"encryption key seed": valid["encryption key seed"], "fault": "wrong-room-key"}
    for name, other in _elsewhere(place):
        yield {"what": f"another {name}", **about, **other, "bytes": valid["box"]}
    another = bytes([valid["member"][0] ^ 1]) + valid["member"][1:]
    info = suite.label("room key") + place["room"] + another + valid["code"]
    wrong = boxes.sealed(key, suite.hash_data(valid["text"]), info)
    yield {"what": "the key of another code", **about, **place, "member": another, "bytes": wrong["box"], **wrong}


def _redirects(valid: Vectors, members: list[Vectors], room: bytes) -> Iterator[Vectors]:
    """Of a host that the signer has not named, on a link of its own."""
    [[_, where, signature]] = [it for record in valid["up"]["records"] for it in record["2.7 frames"] if it[0] == 23]
    [key] = [it["key"] for it in members if it["id"] == where[1]]
    place = {"service": room, "hello": valid["hello"], "key": key, "where": pack(where)}
    for name, other in _elsewhere({name: place[name] for name in ("service", "hello", "key")}):
        yield {"what": f"another {name}", **place, **other, "signature": signature, "fault": "unsigned-redirect"}
    address = bytes([where[2][0] ^ 1]) + where[2][1:]
    elsewhere = pack([*where[:2], address, *where[3:]])
    yield {
        "what": "another address",
        **place,
        "where": elsewhere,
        "signature": signature,
        "fault": "unsigned-redirect",
    }


def _waiting(succession: Vectors) -> Iterator[Vectors]:
    valid = succession["8.9 Waiting"]
    signature = valid["frame"][1]
    for name, other in _elsewhere({name: valid[name] for name in ("service", "hello", "key")}):
        yield {"what": f"another {name}", **other, "signature": signature}
