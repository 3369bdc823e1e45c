"""What travels on a link, once opened: bytes <-> frames (PROTOCOL.md, 2), and what members say in entries (4.4).

Everything is packed with msgpack and typed by direction, so that a frame which the other side has no business to send
is a fault like any other malformed one. `Splitter` cuts a stream into payloads and keeps no more than one and one read.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from anonp2p import limits
from anonp2p.errors import PeerFault

VERSION = 2

Bytes16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Bytes33 = Annotated[bytes, msgspec.Meta(min_length=33, max_length=33)]
Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Bytes112 = Annotated[bytes, msgspec.Meta(min_length=112, max_length=112)]
LeafBytes = Annotated[bytes, msgspec.Meta(min_length=1_216, max_length=1_216)]
COUNTS = 2**53  # a script's JSON numbers are exact below it
Count = Annotated[int, msgspec.Meta(ge=0, lt=COUNTS)]
Generation = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]  # so far from a header's last one that nobody gets there

# Why a host lets someone not in, or does not order an entry. Words, not sentences: a peer's prose is never shown.
Refusal = Literal["signature", "full", "locked", "bad-nick", "nick-taken", "not-allowed", "unknown", "kicked", "leaf"]
Denial = Literal["nick-taken", "repeated", "too-often"]


class _Packed(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A msgpack array. Never shows what it holds."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


# --- what entries say


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
    """Host: the owner of this key, with a leaf of this hash, is a member from here on."""

    key: Bytes32
    nick: str
    leaf: Bytes32


class Lost(_Packed, frozen=True, tag=5):
    """Host: this member has not been heard for a while. It is away: its place is kept, but it does not count."""

    member: Bytes16


class Close(_Packed, frozen=True, tag=6):
    """Host: the room has ended; nothing follows."""


class Back(_Packed, frozen=True, tag=7):
    """Host: one who was away is here again."""

    member: Bytes16


class Renew(_Packed, frozen=True, tag=8):
    """The author's leaf is one with this hash from here on."""

    leaf: Bytes32


class Lock(_Packed, frozen=True, tag=9):
    """Host: whether newcomers are kept out from here on."""

    locked: bool


class Removal(_Packed, frozen=True):
    """One whom a commit removes, and why: for whoever was thrown out, perhaps in the host's words."""

    member: Bytes16
    reason: Literal["lost", "kicked"]
    why: Annotated[str, msgspec.Meta(max_length=limits.WHY)]


class Commit(_Packed, frozen=True, tag=10):
    """Host: an epoch ends, this one begins, and these are no members any more."""

    epoch: Count
    removed: Annotated[list[Removal], msgspec.Meta(max_length=limits.MEMBERS)]


Body = Text | Nick | Leave | Joined | Lost | Close | Back | Renew | Lock | Commit


class Content(_Packed, frozen=True):
    """What an author signs, beside the header: the latest entry it had applied, the log's hash there, what it says."""

    index: Count
    digest: Bytes32
    body: Body


# --- the handshake


class Hello(_Packed, frozen=True, tag=1):
    """Host, first on every link: the protocol it speaks, 32 fresh bytes, and the key of the minute to seal to."""

    version: Count
    nonce: Bytes32
    door: LeafBytes


class AnyHello(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """What hellos of all versions have in common."""

    version: Count


class Join(_Packed, frozen=True, tag=1):
    """Joiner: the link's secret, its key and leaf, the nick it wants (empty: any), and its signature."""

    link: Bytes32
    key: Bytes32
    leaf: LeafBytes
    nick: str
    signature: Bytes64


class Resume(_Packed, frozen=True, tag=2):
    """Member on a new link: it has the log up to this index, with this hash, and the secrets of this epoch."""

    link: Bytes32
    member: Bytes16
    leaf: LeafBytes
    epoch: Count
    index: Count
    digest: Bytes32
    signature: Bytes64


# --- frames in records


class Submit(_Packed, frozen=True, tag=1):
    """Member: an entry to be ordered, sealed in this epoch."""

    epoch: Count
    entry: bytes


class Leaf(_Packed, frozen=True, tag=2):
    """Member: its leaf on this link from now on."""

    leaf: LeafBytes


class Beat(_Packed, frozen=True, tag=3):
    """Member: still here. (A host says so by its heads.)"""


class Refused(_Packed, frozen=True, tag=4):
    """Host: not let in; the last frame on the link."""

    reason: Refusal


class Welcome(_Packed, frozen=True, tag=5):
    """Host: let in. What there is to know comes in so many pages, under a key that is in the box.

    past: whether what a returning member has missed follows, entry by entry.
    """

    box: bytes
    pages: Annotated[int, msgspec.Meta(ge=1, le=limits.PAGES)]
    past: bool


class Page(_Packed, frozen=True, tag=6):
    """Host: the next part of the Welcome."""

    part: Annotated[bytes, msgspec.Meta(max_length=limits.PAGE)]


class Resumed(_Packed, frozen=True, tag=7):
    """Host: the rest of the log follows; it stands at this index now."""

    index: Count


class Past(_Packed, frozen=True, tag=8):
    """Host, after a Welcome: the next entry that the member has missed, opened."""

    header: Bytes33
    body: bytes


class Slice(_Packed, frozen=True, tag=9):
    """Host, after a commit: this member's share of it."""

    box: bytes


class Denied(_Packed, frozen=True, tag=10):
    """Host, to the author alone: the entry with this counter was not ordered."""

    counter: Count
    reason: Denial


# --- what a Welcome's pages say together


class Seat(_Packed, frozen=True):
    """One member: who it is, and its chain at its present link."""

    key: Bytes32
    nick: str
    counter: Count
    away: bool
    leaf: Bytes32
    generation: Generation
    link: Bytes32


class State(_Packed, frozen=True):
    """A room as of the entry that the head signs for, with the epoch's secrets."""

    name: str
    locked: bool
    host: Bytes16
    epoch: Count
    init: Bytes32
    header_key: Bytes32
    head_key: Bytes32
    newcomers: Bytes32
    head: Bytes112
    seats: Annotated[list[Seat], msgspec.Meta(max_length=limits.MEMBERS)]


Request = Join | Resume
FromMember = Submit | Leaf | Beat
FromHost = Refused | Welcome | Page | Resumed | Past | Slice | Denied
Frame = FromMember | FromHost


_encoder = msgspec.msgpack.Encoder()
_decoders = {
    kind: msgspec.msgpack.Decoder(kind) for kind in (Content, Hello, AnyHello, Request, FromMember, FromHost, State)
}

# What msgspec raises on bytes that are not what they should be; deep nesting and broken UTF-8 come as Python's own.
_MALFORMED = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


def pack(packed: _Packed) -> bytes:
    """As bytes."""
    return _encoder.encode(packed)


def pack_plain(value: list[Any]) -> bytes:
    """An array of ours that is only hashed."""
    return _encoder.encode(value)


def unpack(kind: Any, data: bytes) -> Any:
    """A Content, Hello, Request, FromMember, FromHost or State in a peer's bytes. Raises PeerFault."""
    try:
        return _decoders[kind].decode(data)
    except _MALFORMED:
        raise PeerFault("something malformed") from None


def on_wire(payload: bytes) -> bytes:
    """A payload behind its length. Raises ValueError for one that no length could announce: ours to prevent."""
    if len(payload) > limits.FRAME:
        raise ValueError("a payload over the limit")
    return len(payload).to_bytes(2, "big") + payload


class Splitter:
    """Payloads from a stream of bytes, in pieces of any size. `longest`: how many bytes each may have from now on."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The payloads that these bytes complete. Raises PeerFault at one that is too long; the stream ends there."""
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= 2:
                length = int.from_bytes(self._buffer[start : start + 2], "big")
                if length > self.longest:
                    raise PeerFault("a frame too long")
                end = start + 2 + length
                if len(self._buffer) < end:
                    break
                payload = bytes(self._buffer[start + 2 : end])
                start = end
                yield payload
        finally:
            del self._buffer[:start]
