"""Frames: what is said in the records of a link (PROTOCOL.md, 2.7).

They are typed by direction: one that its sender may not send is malformed.
"""

from typing import Annotated, Literal

import msgspec

from anonp2p import limits
from anonp2p.protocol.batches import Backfilled
from anonp2p.protocol.field_types import (
    Bytes16,
    Bytes32,
    Bytes33,
    Bytes64,
    Bytes65To97,
    Bytes112,
    Count,
    EncryptionKeyBytes,
    Openings,
    Packed,
)

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
    """Host of a private room, to whom it asks to prepare: the public keys of those who may find its service.

    Those of all slots of the pool, and that of members.
    """

    clients: Annotated[list[Bytes32], msgspec.Meta(min_length=limits.CLIENTS, max_length=limits.CLIENTS)]


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
