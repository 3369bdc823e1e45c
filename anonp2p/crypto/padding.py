"""Padding. A stream consists of payloads of only eight sizes, so that lengths reveal little (PROTOCOL.md, 0.8, 2.1)."""

from typing import Final

from anonp2p import limits
from anonp2p.errors import PeerFault

SIZES: Final = tuple(limits.UNIT * units for units in limits.PAYLOAD_UNITS)  # bytes of a payload, with its length field
LENGTH: Final = 2  # bytes of a length field

CONTENTS: Final = frozenset(size - LENGTH for size in SIZES)  # bytes of a payload without its length field


def pad_text(text: bytes, size: int) -> bytes:
    """Length field, text, and zeros up to this size. Raises ValueError if the text does not fit."""
    if len(text) + LENGTH > size:
        raise ValueError("too long")
    return len(text).to_bytes(LENGTH, "big") + text + bytes(size - LENGTH - len(text))


def unpad_text(padded: bytes) -> bytes:
    """The text in padded bytes. Raises PeerFault."""
    end = LENGTH + int.from_bytes(padded[:LENGTH], "big")
    if len(padded) < end or padded.count(0, end) != len(padded) - end:
        raise PeerFault("padding")
    return padded[LENGTH:end]


def fill_payload(text: bytes, overhead: int) -> bytes:
    """The text, padded so that `overhead` bytes more make a payload. Raises ValueError if the text is too long."""
    least = 2 * LENGTH + len(text) + overhead
    size = next((size for size in SIZES if size >= least), 0)
    return pad_text(text, size - LENGTH - overhead)


def unfill_payload(filled: bytes, overhead: int) -> bytes:
    """The text in what `fill_payload` made. Raises PeerFault."""
    text = unpad_text(filled)
    if len(fill_payload(text, overhead)) != len(filled):
        raise PeerFault("payload-padding")
    return text


def frame_content(content: bytes) -> bytes:
    """A content with its length field, as it is sent. Raises ValueError for a length that no payload has."""
    if len(content) not in CONTENTS:
        raise ValueError("bad length")
    return len(content).to_bytes(LENGTH, "big") + content
