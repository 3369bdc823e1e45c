"""The state of a room, as a welcome shows it in its pages: bytes <-> typed values (PROTOCOL.md, 7.1)."""

from typing import Annotated

import msgspec

from anonp2p import limits
from anonp2p.protocol.field_types import Bytes16, Bytes32, Bytes33, Bytes112, Count, Heir, Opening, Packed, Ttl
from anonp2p.protocol.frames import Credentials
from anonp2p.protocol.rights import Rights


class RosterEntry(Packed, frozen=True):
    """A member in a welcome, with the current state of its ratchet."""

    key: Bytes32
    nick: str
    counter: Count
    away: bool
    key_hash: Bytes32
    generation: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]  # far below the last one of a header
    chain_key: Bytes32


class SnapshotEntry(Packed, frozen=True):
    """A member at the beginning of the history."""

    key: Bytes32
    nick: str
    counter: Count
    away: bool
    key_hash: Bytes32


class Term(Packed, frozen=True):
    """The term that a log is in: who orders it, and who may after that. Fields: see `Ledger`."""

    number: Count
    host: Bytes16
    address: Bytes32
    code: Bytes32
    heirs: Annotated[list[Heir], msgspec.Meta(max_length=limits.HEIRS)]
    holders: Annotated[list[Bytes16], msgspec.Meta(min_length=1, max_length=limits.HOLDERS)]
    handed_over: bool
    openings: Annotated[list[Opening], msgspec.Meta(min_length=1, max_length=limits.OPENINGS)]


class RoomSnapshot(Packed, frozen=True):
    """The room as of the last entry before its history."""

    digest: Bytes32
    epoch: Count
    rights: Rights
    roster: Annotated[list[SnapshotEntry], msgspec.Meta(max_length=limits.MEMBERS)]
    term: Term


class RetentionPolicy(Packed, frozen=True):
    """For how long messages are kept in a room: minimum, default and maximum ttl."""

    least: Ttl
    default: Ttl
    most: Ttl


class HistoryPolicy(Packed, frozen=True):
    """How much of the log newcomers are shown: the last messages, or seconds; nothing if both are 0."""

    texts: Count
    seconds: Count


class LatestEntry(Packed, frozen=True):
    """What, with a roster, makes the digest of the log: the digest before its latest entry, and that entry.

    body: the hash of its body.
    """

    digest: Bytes32
    header: Bytes33
    body: Bytes32


class RoomState(Packed, frozen=True):
    """The room as of the entry that the head covers, with the secrets of the epoch.

    The entries after the index `since` follow as backfill. They continue the reader's own log, or the `snapshot`.
    proof: whether frames come before that which prove that the log up to `since` continues the reader's own.
    room: its identifier, which is not the service that was dialled if the code has changed.
    carriers: who else is or was heir or host. kicked: the keys of those who were thrown out.
    """

    room: Bytes32
    name: str
    rights: Rights
    term: Term
    retention: RetentionPolicy
    history: HistoryPolicy
    epoch: Count
    init_secret: Bytes32
    log_key: Bytes32
    newcomer_secret: Bytes32
    head: Bytes112
    latest: LatestEntry
    credentials: Credentials
    roster: Annotated[list[RosterEntry], msgspec.Meta(max_length=limits.MEMBERS)]
    since: Count
    snapshot: RoomSnapshot | None
    proof: bool = False
    carriers: Annotated[tuple[Heir, ...], msgspec.Meta(max_length=limits.CARRIERS)] = ()
    kicked: Annotated[tuple[Bytes32, ...], msgspec.Meta(max_length=limits.KICKED)] = ()

    @property
    def host(self) -> bytes:
        """Who orders now."""
        return self.term.host
