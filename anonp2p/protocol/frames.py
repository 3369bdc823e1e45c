"""What travels on a link, once opened: bytes <-> frames (PROTOCOL.md, 2), and what members say in entries (4.4).

Everything is packed with msgpack and typed by direction, so that a frame which the other side has no business to send
is a fault like any other malformed one.
"""

from typing import Annotated, Any, Literal

import msgspec

from anonp2p import limits
from anonp2p.errors import PeerFault

VERSION = 3

Bytes16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Bytes33 = Annotated[bytes, msgspec.Meta(min_length=33, max_length=33)]
Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Bytes112 = Annotated[bytes, msgspec.Meta(min_length=112, max_length=112)]
LeafBytes = Annotated[bytes, msgspec.Meta(min_length=1_216, max_length=1_216)]
BOX = 1_136  # bytes by which a box is longer than what is in it
COUNTS = 2**53  # a script's JSON numbers are exact below it
Count = Annotated[int, msgspec.Meta(ge=0, lt=COUNTS)]
Ttl = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]  # seconds; the greatest: until the room ends
Generation = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]  # so far from a header's last one that nobody gets there

# Why a host lets someone not in, or does not order an entry. Words, not sentences: a peer's prose is never shown.
Refusal = Literal["signature", "full", "locked", "bad-nick", "nick-taken", "not-allowed", "unknown", "kicked", "leaf"]
Denial = Literal["nick-taken", "repeated", "too-often"]


class _Packed(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, gc=False):
    """A msgpack array; nothing in it leads back to it, so the collector need not look. Never shows what it holds."""

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


class Private(_Packed, frozen=True, tag=11):
    """A message to one member, in a box that only it opens."""

    box: Annotated[bytes, msgspec.Meta(min_length=BOX + 1, max_length=BOX + limits.TEXT)]


Body = Text | Nick | Leave | Joined | Lost | Close | Back | Renew | Lock | Commit | Private


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


# --- the log


class Burst(_Packed, frozen=True):
    """Entries one after another, sealed each by its author, and the host's head that covers them."""

    entries: list[bytes]
    head: Bytes112


class Opened(_Packed, frozen=True, tag=1):
    """An entry as its author signed it."""

    header: Bytes33
    body: bytes


class Gone(_Packed, frozen=True, tag=2):
    """What is left of an entry that has expired: its header, and the hash of its body."""

    header: Bytes33
    digest: Bytes32


# --- frames in records


class Submit(_Packed, frozen=True, tag=1):
    """Member: an entry to be ordered, sealed in this epoch."""

    epoch: Count
    entry: bytes


class Leaf(_Packed, frozen=True, tag=2):
    """Member: its leaf on this link from now on."""

    leaf: LeafBytes


class Seek(_Packed, frozen=True, tag=3):
    """Member: it wants to see the leaf with this hash, another member's."""

    leaf: Bytes32


class Refused(_Packed, frozen=True, tag=4):
    """Host: not let in; the last frame on the link."""

    reason: Refusal


class Welcome(_Packed, frozen=True, tag=5):
    """Host: let in. What there is to know comes in so many pages, under a key that is in the box."""

    box: bytes
    pages: Annotated[int, msgspec.Meta(ge=1, le=limits.PAGES)]


class Page(_Packed, frozen=True, tag=6):
    """Host: the next part of the Welcome."""

    part: Annotated[bytes, msgspec.Meta(max_length=limits.PAGE)]


class Resumed(_Packed, frozen=True, tag=7):
    """Host: the rest of the log follows; it stands at this index now, at this time of the room (milliseconds)."""

    index: Count
    time: Count


class Past(_Packed, frozen=True, tag=8):
    """Host: a burst, opened; and where the log stands now, at what time of the room."""

    entries: list[Opened | Gone]
    head: Bytes112
    index: Count
    time: Count


class Slice(_Packed, frozen=True, tag=9):
    """Host, after a commit: this member's share of it."""

    box: bytes


class Denied(_Packed, frozen=True, tag=10):
    """Host, to the author alone: the entry with this counter was not ordered."""

    counter: Count
    reason: Denial


class Found(_Packed, frozen=True, tag=11):
    """Host: a leaf that was sought."""

    leaf: LeafBytes


class Missing(_Packed, frozen=True, tag=12):
    """Host: a leaf with this hash was sought, and nobody has shown one."""

    leaf: Bytes32


FromMember = Submit | Leaf | Seek
FromHost = Refused | Welcome | Page | Resumed | Past | Slice | Denied | Found | Missing
Frame = FromMember | FromHost


class _Record(_Packed, frozen=True):
    """What one end of a link says at once; echo: whether it wants an answer, be it an empty one."""

    echo: bool


class MemberRecord(_Record, frozen=True):
    """A record of a member's."""

    frames: Annotated[list[FromMember], msgspec.Meta(max_length=limits.FRAMES)]


class HostRecord(_Record, frozen=True):
    """A record of a host's."""

    frames: Annotated[list[FromHost], msgspec.Meta(max_length=limits.FRAMES)]


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


class Sitter(_Packed, frozen=True):
    """One member as of the beginning of the history."""

    key: Bytes32
    nick: str
    counter: Count
    away: bool
    leaf: Bytes32


class Base(_Packed, frozen=True):
    """A room as of the entry after which its history begins."""

    digest: Bytes32
    epoch: Count
    locked: bool
    members: Annotated[list[Sitter], msgspec.Meta(max_length=limits.MEMBERS)]


class Retention(_Packed, frozen=True):
    """How long messages live in a room: at least, if their author does not say, at most. Each is a ttl."""

    least: Ttl
    default: Ttl
    most: Ttl


class History(_Packed, frozen=True):
    """What newcomers are shown of what was said before: the last so many messages, or seconds; 0 and 0: nothing."""

    texts: Count
    seconds: Count


class State(_Packed, frozen=True):
    """A room as of the entry that the head signs for, with the epoch's secrets.

    What was ordered after `since` follows, opened: to go on from one's own log, or from the base.
    """

    name: str
    locked: bool
    host: Bytes16
    retention: Retention
    history: History
    epoch: Count
    init: Bytes32
    log_key: Bytes32
    newcomers: Bytes32
    head: Bytes112
    seats: Annotated[list[Seat], msgspec.Meta(max_length=limits.MEMBERS)]
    since: Count
    base: Base | None


Request = Join | Resume


_encoder = msgspec.msgpack.Encoder()
_decoders = {
    kind: msgspec.msgpack.Decoder(kind)
    for kind in (Content, Hello, AnyHello, Request, Burst, MemberRecord, HostRecord, State)
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
    """What of this kind is in a peer's bytes: one of those that there are decoders for. Raises PeerFault."""
    try:
        return _decoders[kind].decode(data)
    except _MALFORMED:
        raise PeerFault("something malformed") from None
