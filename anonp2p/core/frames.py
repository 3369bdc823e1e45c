"""What travels on a link: bytes <-> frames (PROTOCOL.md, 2), and what members sign: bytes <-> contents (3).

Frames are msgpack arrays behind a two-byte length. A decoder is typed by direction, so that a frame which the other
side has no business to send is a fault like any other malformed one. Nothing here keeps more than one frame and one
read.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from anonp2p import limits
from anonp2p.errors import PeerFault

VERSION = 1

Bytes16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Count = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]  # a script's JSON numbers are exact below 2^53

# Why a host lets someone not in, or does not order an entry. Words, not sentences: a peer's prose is never shown.
Reason = Literal["signature", "full", "bad-nick", "nick-taken", "not-allowed", "repeated", "unknown", "too-often"]


class _Packed(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A msgpack array whose first element is its tag. Never shows what it holds."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Text(_Packed, frozen=True, tag=1):
    """A message: `action` for one told in the third person (/me)."""

    text: str
    action: bool


class Nick(_Packed, frozen=True, tag=2):
    """The author goes by another nick from here on."""

    nick: str


class Leave(_Packed, frozen=True, tag=3):
    """The author is no member from here on."""


class Joined(_Packed, frozen=True, tag=4):
    """Host: the owner of this key is a member from here on."""

    key: Bytes32
    nick: str


class Lost(_Packed, frozen=True, tag=5):
    """Host: this member has not been heard for a while. It is away: its place is kept, but it does not count."""

    member: Bytes16


class Back(_Packed, frozen=True, tag=7):
    """Host: one who was away is here again."""

    member: Bytes16


class Removed(_Packed, frozen=True, tag=8):
    """Host: one who was away is no member any more."""

    member: Bytes16


class Close(_Packed, frozen=True, tag=6):
    """Host: the room has ended; nothing follows."""


Body = Text | Nick | Leave | Joined | Lost | Back | Removed | Close


class Content(_Packed, frozen=True):
    """What an author signs. `counter` grows with each entry of the author, from 1, and is ordered at most once."""

    author: Bytes16
    counter: Count
    body: Body


class Hello(_Packed, frozen=True, tag=1):
    """Host, first on every link: the protocol it speaks, and 32 fresh bytes for the joiner to sign."""

    version: Count
    nonce: Bytes32


class Join(_Packed, frozen=True, tag=2):
    """Joiner: its key, the nick it wants (empty: any), and its signature over the host's nonce and that nick."""

    key: Bytes32
    nick: str
    signature: Bytes64


class Resume(_Packed, frozen=True, tag=10):
    """Member on a new link: it has the log up to this index, with this hash; signed with the host's nonce."""

    member: Bytes16
    index: Count
    digest: Bytes32
    signature: Bytes64


class Refused(_Packed, frozen=True, tag=3):
    """Host: not let in, or out again; the last frame on the link."""

    reason: Reason


class Seat(_Packed, frozen=True):
    """One member in a roster."""

    key: Bytes32
    nick: str
    counter: Count
    away: bool


class Roster(_Packed, frozen=True, tag=4):
    """Host, before Welcome: some of the members, in the order they came; as many frames as it takes."""

    seats: Annotated[list[Seat], msgspec.Meta(max_length=limits.ROSTER_PAGE)]


class Welcome(_Packed, frozen=True, tag=5):
    """Host: let in. `host` is one of the roster; the log stands at this index, with this hash."""

    name: str
    host: Bytes16
    index: Count
    digest: Bytes32


class Resumed(_Packed, frozen=True, tag=11):
    """Host: the rest of the log follows; it stands at this index now."""

    index: Count


class Submit(_Packed, frozen=True, tag=6):
    """Member: an entry to be ordered. `content` is an encoded Content."""

    content: bytes
    signature: Bytes64


class Entry(_Packed, frozen=True, tag=7):
    """Host: an entry in its place."""

    index: Count
    content: bytes
    signature: Bytes64


class Head(_Packed, frozen=True, tag=12):
    """Host: the log up to this index has this hash. `time`: milliseconds since the room's creation; signed."""

    index: Count
    digest: Bytes32
    time: Count
    signature: Bytes64


class Denied(_Packed, frozen=True, tag=8):
    """Host, to the author alone: the entry with this counter was not ordered."""

    counter: Count
    reason: Reason


class Beat(_Packed, frozen=True, tag=9):
    """Member: still here. (A host says so by its heads.)"""


FromJoiner = Join | Resume
FromMember = Submit | Beat
FromHost = Hello | Refused | Roster | Welcome | Resumed | Entry | Head | Denied
Frame = FromJoiner | FromMember | FromHost

_encoder = msgspec.msgpack.Encoder()
_contents = msgspec.msgpack.Decoder(Content)

# What msgspec raises on bytes that are not what they should be; deep nesting and broken UTF-8 come as Python's own.
_MALFORMED = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


def encode(frame: Frame) -> bytes:
    """The frame as it goes on the wire. Raises ValueError for one that no length could announce: ours to prevent."""
    payload = _encoder.encode(frame)
    if len(payload) > limits.FRAME:
        raise ValueError("a frame over the limit")
    return len(payload).to_bytes(2, "big") + payload


def seal(content: Content) -> bytes:
    """A content as the bytes that its author signs; they are kept and passed on as they are, never encoded again."""
    return _encoder.encode(content)


def head_content(index: int, digest: bytes, time: int) -> bytes:
    """What a host signs in a Head."""
    return index.to_bytes(8, "big") + digest + time.to_bytes(8, "big")


def unseal(content: bytes) -> Content:
    """The content in a peer's bytes. Raises PeerFault."""
    try:
        return _contents.decode(content)
    except _MALFORMED:
        raise PeerFault("malformed content") from None


class Decoder:
    """Frames of one direction from a stream of bytes, in pieces of any size.

    accepts: the union of frames that the other side may send now, FromJoiner, FromMember or FromHost. longest: how many
    bytes each may have.
    """

    def __init__(self, accepts: Any, longest: int) -> None:
        self._buffer = bytearray()
        self.accept(accepts, longest)

    def accept(self, accepts: Any, longest: int) -> None:
        """From the next frame on, the other side may send these."""
        self._decoder = msgspec.msgpack.Decoder(accepts)
        self._longest = longest

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete. Raises PeerFault at the first that is none; the stream ends there."""
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= 2:
                length = int.from_bytes(self._buffer[start : start + 2], "big")
                if length > self._longest:
                    raise PeerFault("a frame too long")
                end = start + 2 + length
                if len(self._buffer) < end:
                    break
                payload = bytes(self._buffer[start + 2 : end])
                start = end
                yield self._decode(payload)
        finally:
            del self._buffer[:start]

    def _decode(self, payload: bytes) -> Frame:
        try:
            frame: Frame = self._decoder.decode(payload)
        except _MALFORMED:
            raise PeerFault("malformed frame") from None
        return frame
