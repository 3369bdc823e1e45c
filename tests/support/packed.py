"""Other encodings of what is packed, and things that are not quite it: all of them malformed (PROTOCOL.md, 0.2)."""

from collections.abc import Iterator

from msgspec import msgpack

_NEXT = {0xC4: 1, 0xC5: 2, 0xD9: 1, 0xDA: 2, 0xDC: 2, 0xCC: 1, 0xCD: 2, 0xCE: 4}  # bytes that the next form has more
_SIZED = {0xC4: 1, 0xC5: 2, 0xD9: 1, 0xDA: 2}  # bytes of a length
_NUMBERS = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xDC: 2}  # bytes of a number, or of a count


def other_encodings(packed: bytes) -> list[bytes]:
    """The same values, each time with one of them in a longer form."""
    return [other for at in _lead_bytes(packed) if (other := _lengthen(packed, at))]


def _lengthen(packed: bytes, at: int) -> bytes:
    lead, rest = packed[at], packed[at + 1 :]
    if lead < 0x80:
        return packed[:at] + bytes([0xCC, lead]) + rest
    if 0x90 <= lead < 0xA0:
        return packed[:at] + bytes([0xDC, 0, lead & 15]) + rest
    if 0xA0 <= lead < 0xC0:
        return packed[:at] + bytes([0xD9, lead & 31]) + rest
    if lead in _NEXT:
        return packed[:at] + bytes([lead + 1]) + bytes(_NEXT[lead]) + rest
    return b""


def _lead_bytes(packed: bytes) -> list[int]:
    """Where the encodings of values begin."""
    found, at = [], 0
    while at < len(packed):
        found.append(at)
        lead = packed[at]
        sized = _SIZED.get(lead, 0)
        length = int.from_bytes(packed[at + 1 : at + 1 + sized], "big") if sized else 0
        at += 1 + sized + _NUMBERS.get(lead, 0) + (lead & 31 if 0xA0 <= lead < 0xC0 else length)
    return found


def malformed_forms(packed: bytes) -> Iterator[tuple[str, bytes]]:
    """What is almost this array, and no array of its kind, each with a word for it."""
    whole = msgpack.decode(packed)
    yield "a longer form of its first value", other_encodings(packed)[1]
    yield "a longer form of its last value", other_encodings(packed)[-1]
    yield "a longer form of the array", b"\xdc" + len(whole).to_bytes(2, "big") + packed[1:]
    yield "a field less", msgpack.encode(whole[:-1])
    yield "a field more", msgpack.encode([*whole, None])
    yield "a byte more", packed + b"\0"
    yield "a byte less", packed[:-1]
    yield "a map", msgpack.encode(dict(enumerate(whole)))
    yield "nothing", b""
    for at, field in enumerate(whole):
        for name, wrong in _mistyped(field):
            yield f"{name} as field {at}", msgpack.encode([*whole[:at], wrong, *whole[at + 1 :]])


def _mistyped(field: object) -> list[tuple[str, object]]:
    match field:
        case bool():
            return [("a number", int(field))]
        case int():
            return [("a float", float(field)), ("a negative number", -1), ("2^53", 2**53)]
        case str():
            return [("bytes", field.encode())]
        case bytes():
            return [("a text", "x" * len(field))]
        case None:
            return [("false", False)]
        case _:
            return [("a number", 1)]
