"""Pieces of the log as they travel: batches of entries, and what is left of those that a member has missed."""

from anonp2p.protocol.field_types import Bytes32, Bytes33, Bytes112, Count, Packed


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
