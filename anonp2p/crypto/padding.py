"""Padding: payloads, the pieces of which a stream is made, have few sizes that tell little (PROTOCOL.md, 0.8, 2.1)."""

from typing import Final

from anonp2p import limits
from anonp2p.errors import PeerFault

SIZES: Final = tuple(limits.UNIT << doublings for doublings in range(8))  # bytes of a payload, its length included
LENGTH: Final = 2  # bytes that say how long what follows them is

CONTENTS: Final = frozenset(size - LENGTH for size in SIZES)  # bytes of a payload without its length


def pad(text: bytes, size: int) -> bytes:
    """The text behind its length, with zeros up to so many bytes. Raises ValueError where it does not fit."""
    if len(text) + LENGTH > size:
        raise ValueError("a text too long for its place")
    return len(text).to_bytes(LENGTH, "big") + text + bytes(size - LENGTH - len(text))


def unpad(padded: bytes) -> bytes:
    """The text in something padded. Raises PeerFault."""
    end = LENGTH + int.from_bytes(padded[:LENGTH], "big")
    if len(padded) < end or padded.count(0, end) != len(padded) - end:
        raise PeerFault("something padded that is not as it should be")
    return padded[LENGTH:end]


def fill(text: bytes, overhead: int) -> bytes:
    """The text, padded so that with as many bytes more it makes a payload. Raises ValueError for one too long."""
    least = 2 * LENGTH + len(text) + overhead
    size = next((size for size in SIZES if size >= least), 0)
    return pad(text, size - LENGTH - overhead)


def unfill(filled: bytes, overhead: int) -> bytes:
    """The text in something filled. Raises PeerFault."""
    text = unpad(filled)
    if len(fill(text, overhead)) != len(filled):
        raise PeerFault("a payload larger than need be")
    return text


def payload(content: bytes) -> bytes:
    """A content behind its length, as it is sent. Raises ValueError for one of no proper length: ours to prevent."""
    if len(content) not in CONTENTS:
        raise ValueError("a content of no proper length")
    return len(content).to_bytes(LENGTH, "big") + content
