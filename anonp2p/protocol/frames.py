"""Frames, and what else travels packed: bytes <-> typed values (PROTOCOL.md, 2.7).

All of them are packed with msgpack. Frames are typed by direction: one that its sender may not send is malformed.
"""

from functools import cache
from typing import Annotated, Any, Literal

import msgspec

from anonp2p import limits
from anonp2p.errors import PeerFault
from anonp2p.protocol.field_types import (
    Bytes16,
    Bytes32,
    Bytes33,
    Bytes64,
    Bytes65To97,
    Bytes112,
    Count,
    EncryptionKeyBytes,
    Invited,
    Opening,
    Packed,
)

VERSION = 4

# Why a host refuses a client handshake, or does not order an entry. These are words, not sentences: the text of a peer
# is never shown.
Refusal = Literal[
    "signature",
    "full",
    "locked",
    "bad-nick",
    "nick-taken",
    "not-allowed",
    "unknown",
    "kicked",
    "key",
    "turned-away",
    "not-invited",
    "crowded",
]
Denial = Literal["nick-taken", "repeated", "too-often", "muted", "slow", "not-allowed", "moot"]

Openings = Annotated[list[Opening], msgspec.Meta(min_length=1, max_length=limits.OPENINGS)]


# --- the handshake


class Hello(Packed, frozen=True, tag=1):
    """Host, first on every link: the protocol version, 32 fresh bytes, and the current handshake key."""

    version: Count
    nonce: Bytes32
    handshake_key: EncryptionKeyBytes


class AnyHello(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """The part that the hellos of all versions have in common. The rest of it may have any form."""

    version: Count


class JoinRequest(Packed, frozen=True, tag=1):
    """Joiner: link secret, signature key, encryption key, the nick that it wants (empty: any), and its signature.

    index, digest: the log as far as it was shown it before; those of a newcomer are the defaults. invited: by which
    invitation it comes, if it has one.
    """

    link_secret: Bytes32
    key: Bytes32
    encryption_key: EncryptionKeyBytes
    nick: str
    signature: Bytes64
    index: Count = 0
    digest: Bytes32 = bytes(32)
    invited: Invited | None = None


class ResumeRequest(Packed, frozen=True, tag=2):
    """Member on a new link: it has the log up to this index and digest, and the secrets of this epoch.

    openings: the latest of that log; lost: whether it has lost its host.
    """

    link_secret: Bytes32
    member: Bytes16
    encryption_key: EncryptionKeyBytes
    epoch: Count
    index: Count
    digest: Bytes32
    openings: Openings
    lost: bool
    signature: Bytes64


class MeetRequest(Packed, frozen=True, tag=3):
    """Host, to another member that may host the room too: how far its log goes, and where it is reached."""

    link_secret: Bytes32
    member: Bytes16
    address: Bytes32
    index: Count
    digest: Bytes32
    openings: Openings
    signature: Bytes64


# --- the log


class Batch(Packed, frozen=True):
    """Consecutive entries, each sealed by its author, and the head that covers them.

    contexts: for each entry, the group context that it leads to, None if it leaves that as it is.
    """

    entries: list[bytes]
    contexts: list[Bytes32 | None]
    head: Bytes112


class BackfilledEntry(Packed, frozen=True, tag=1):
    """An entry as its author signed it, without its seal."""

    header: Bytes33
    body: bytes


class Tombstone(Packed, frozen=True, tag=2):
    """What remains of an expired entry: its header and the hash of its body."""

    header: Bytes33
    digest: Bytes32


class RetractedEntry(Packed, frozen=True, tag=3):
    """The same of an entry that its author has retracted, and the author's Retract: its epoch, header and body."""

    header: Bytes33
    digest: Bytes32
    epoch: Count
    retract_header: Bytes33
    retract_body: bytes


Backfilled = BackfilledEntry | Tombstone | RetractedEntry


# --- frames in records


class SubmitFrame(Packed, frozen=True, tag=1):
    """Member: an entry to order, sealed in this epoch."""

    epoch: Count
    entry: bytes


class KeyFrame(Packed, frozen=True, tag=2):
    """Member: its encryption key on this link from now on."""

    encryption_key: EncryptionKeyBytes


class KeyRequestFrame(Packed, frozen=True, tag=3):
    """Member: asks for another member's encryption key, by its hash."""

    key_hash: Bytes32


class Credentials(Packed, frozen=True):
    """The onion service with this address, which is its key, serves the host with this member key."""

    address: Bytes32
    key: Bytes32
    term: Count
    signature: Bytes64


class RefusedFrame(Packed, frozen=True, tag=4):
    """Host: refuses the client handshake. The last frame on the link; its signature is good on no other."""

    reason: Refusal
    credentials: Credentials
    signature: Bytes64


class WelcomeFrame(Packed, frozen=True, tag=5):
    """Host: admits the sender of the client handshake. Pages with the room's state follow; their key is in the box."""

    box: bytes
    pages: Annotated[int, msgspec.Meta(ge=1, le=limits.PAGES)]


class PageFrame(Packed, frozen=True, tag=6):
    """Host: the next part of the room's state."""

    part: Annotated[bytes, msgspec.Meta(max_length=limits.PAGE)]


class ResumedFrame(Packed, frozen=True, tag=7):
    """Host: the rest of the log follows. now: a head for the log as it is now."""

    now: Bytes112
    signature: Bytes64


class BackfillFrame(Packed, frozen=True, tag=8):
    """Host: a batch, opened. head: of the batch; now: the latest head of the log, or a later one."""

    entries: list[Backfilled]
    contexts: list[Bytes32 | None]
    head: Bytes112
    now: Bytes112


class CommitShareFrame(Packed, frozen=True, tag=9):
    """Host, after a commit: the commit share of this member."""

    box: bytes


class DeniedFrame(Packed, frozen=True, tag=10):
    """Host, to the author alone: it did not order the entry with this counter."""

    counter: Count
    reason: Denial


class KeyResponseFrame(Packed, frozen=True, tag=11):
    """Host: the encryption key that a member asked for."""

    encryption_key: EncryptionKeyBytes


class KeyNotFoundFrame(Packed, frozen=True, tag=12):
    """Host: it does not know the encryption key with this hash."""

    key_hash: Bytes32


class ProofFrame(Packed, frozen=True, tag=13):
    """Host, before a backfill: what the digests of a log are made of that a member has missed.

    steps: of each entry in turn, its header, the hash of its body, and the group context, if it leads to another one.
    """

    steps: Annotated[list[Bytes65To97], msgspec.Meta(min_length=1, max_length=limits.PROOF_STEPS)]


# --- who takes a room over


class AbleFrame(Packed, frozen=True, tag=14):
    """Member: it may be asked to take the room over some day."""


class PrepareFrame(Packed, frozen=True, tag=15):
    """Host: the member is to publish an onion service of its own, and to say its address once that can be reached."""


class AddressFrame(Packed, frozen=True, tag=16):
    """Member: this onion service of its own can be reached. signature: by the key of the service."""

    address: Bytes32
    signature: Bytes64


class EntrustFrame(Packed, frozen=True, tag=17):
    """Host, to its first heir: the key of the room's code, in a box."""

    box: bytes


class EchoFrame(Packed, frozen=True, tag=18):
    """Member: asks its host for a sign of life."""


class EchoedFrame(Packed, frozen=True, tag=19):
    """Host: the answer."""


class StraysFrame(Packed, frozen=True, tag=20):
    """Heir: so many members tell it that they have lost the host for a while."""

    count: Count


class ReportFrame(Packed, frozen=True, tag=21):
    """Member, to an heir: whether it has lost its host, and how far its log goes."""

    lost: bool
    index: Count
    digest: Bytes32
    openings: Openings


class WaitingFrame(Packed, frozen=True, tag=22):
    """Heir, as the first answer: it does not host the room, and keeps the link."""

    signature: Bytes64


class SignedEntry(Packed, frozen=True):
    """An entry, as its author signed it in this epoch."""

    epoch: Count
    header: Bytes33
    body: Annotated[bytes, msgspec.Meta(max_length=limits.PROOF_BODY)]


class Where(Packed, frozen=True):
    """A host that somebody follows: its term, where members reach it, and how far its log goes.

    proof: that the first of its openings that the other side lacks is one by an heir, where the sender knows which that
    is: the opening, and before it what made its author an heir and a member, if the other side lacks that too.
    """

    number: Count
    host: Bytes16
    address: Bytes32
    index: Count
    digest: Bytes32
    openings: Openings
    proof: Annotated[list[SignedEntry], msgspec.Meta(max_length=limits.PROOF_OF_HEIR)]


class RedirectFrame(Packed, frozen=True, tag=23):
    """Either side: the sender follows this host, or is it. The signature is good on no other link."""

    where: Where
    signature: Bytes64


class HostLivesFrame(Packed, frozen=True, tag=24):
    """Heir, to who has lost the host: the host has just answered it."""


class WantFrame(Packed, frozen=True, tag=25):
    """Heir, to a member whose log goes further: asks for what follows this place of its own."""

    index: Count
    digest: Bytes32
    openings: Openings


class AskHostFrame(Packed, frozen=True, tag=26):
    """Heir, to who has the host: others have lost it, and it is to ask the host for a sign of life."""


class HeldFrame(Packed, frozen=True, tag=27):
    """Host, as the first answer to who knocks: it is to wait on this link. Its signature is good on no other."""

    credentials: Credentials
    signature: Bytes64


class KnockEntry(Packed, frozen=True):
    """One who waits to be let in: its key, the nick that it is to have, and for how many seconds it has waited."""

    key: Bytes32
    nick: str
    seconds: Count


class KnockersFrame(Packed, frozen=True, tag=28):
    """Host, to a moderator: all who wait to be let in, in the order in which they came."""

    people: Annotated[list[KnockEntry], msgspec.Meta(max_length=limits.KNOCKERS)]


class PoolFrame(Packed, frozen=True, tag=29):
    """Host of a private room, to a moderator, or to whom it gives the key of the code: the pool, in a box.

    box: empty if the host does not have it.
    """

    box: bytes


class PoolRequestFrame(Packed, frozen=True, tag=30):
    """Moderator of a private room, to its host: asks for the pool."""


class ClientsFrame(Packed, frozen=True, tag=31):
    """Host of a private room, to whom it asks to prepare: the public keys of those who may find its service."""

    clients: Annotated[list[Bytes32], msgspec.Meta(min_length=limits.INVITATIONS, max_length=limits.INVITATIONS)]


FromMember = (
    SubmitFrame
    | KeyFrame
    | KeyRequestFrame
    | AbleFrame
    | PoolRequestFrame
    | AddressFrame
    | EchoFrame
    | StraysFrame
    | ReportFrame
    | RedirectFrame
    | BackfillFrame
)
FromHost = (
    RefusedFrame
    | WelcomeFrame
    | PageFrame
    | ResumedFrame
    | BackfillFrame
    | CommitShareFrame
    | DeniedFrame
    | KeyResponseFrame
    | KeyNotFoundFrame
    | ProofFrame
    | PrepareFrame
    | EntrustFrame
    | EchoedFrame
    | WaitingFrame
    | RedirectFrame
    | HostLivesFrame
    | WantFrame
    | AskHostFrame
    | HeldFrame
    | KnockersFrame
    | PoolFrame
    | ClientsFrame
)
Frame = FromMember | FromHost


class MemberRecord(Packed, frozen=True):
    """Frames that a member seals together. echo: whether this is a slot of its cover, which the host answers."""

    echo: bool
    frames: Annotated[list[FromMember], msgspec.Meta(max_length=limits.FRAMES)]


class HostRecord(Packed, frozen=True):
    """Frames that a host seals together."""

    frames: Annotated[list[FromHost], msgspec.Meta(max_length=limits.FRAMES)]


Request = JoinRequest | ResumeRequest | MeetRequest

_encoder = msgspec.msgpack.Encoder()
_decoder = cache(msgspec.msgpack.Decoder)

# What msgspec raises for malformed bytes. For deep nesting and broken UTF-8 these are exceptions of Python.
_MALFORMED = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


def pack(packed: Packed | list[Any]) -> bytes:
    """The bytes of what is sent, or of an array that is hashed and never sent."""
    return _encoder.encode(packed)


def unpack(kind: Any, data: bytes) -> Any:
    """The value of this kind in a peer's bytes, which are what `pack` makes of it (PROTOCOL.md, 0.2).

    Raises PeerFault.
    """
    value = _decode(kind, data)
    if _encoder.encode(value) != data:
        raise PeerFault("malformed")
    return value


def read_version(data: bytes) -> int:
    """The version in a packed hello, whatever follows it. Raises PeerFault."""
    hello: AnyHello = _decode(AnyHello, data)
    return hello.version


def _decode(kind: Any, data: bytes) -> Any:
    try:
        return _decoder(kind).decode(data)
    except _MALFORMED:
        raise PeerFault("malformed") from None
