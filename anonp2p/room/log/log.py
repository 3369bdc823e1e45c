"""The ordered log, batch by batch: each is encoded once, and read by any number of links, each at its own place.

A batch is entries and the head that covers them. Its entries are kept opened beside its bytes: for members who come
back in another epoch, to whom the bytes are of no use, and for all members once an entry of the batch has expired, when
the bytes are dropped.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from anonp2p import limits
from anonp2p.crypto.commit import CommitSecret
from anonp2p.protocol import frames
from anonp2p.protocol.batches import Backfilled, BackfilledEntry, RetractedEntry, Tombstone
from anonp2p.room.log.expiry import ExpirySchedule

FIRST: Final = 1  # index of a room's first entry

_BESIDE = 4  # bytes of a batch that an entry takes beside its own, at most; with a group context, 33 more
_AROUND = 192  # bytes of a batch's payload beside its entries, at most


# The garbage collector does not track these structs: there are so many that it would stop the program for 50 ms.


class Retraction(msgspec.Struct, gc=False, frozen=True):
    """An author's Retract: in which epoch it was signed, its header and its body."""

    epoch: int
    header: bytes
    body: bytes

    def __repr__(self) -> str:
        return "<Retraction>"


class LogEntry(msgspec.Struct, gc=False):
    """An entry that has its place. digest: of its body, which is empty once it has ended; ttl: as in its header.

    context: the group context that it leads to; None if it leaves that as it is. retraction: what has ended it, if its
    author has.
    """

    header: bytes
    digest: bytes
    body: bytes
    ttl: int
    context: bytes | None = None
    retraction: Retraction | None = None

    def __repr__(self) -> str:
        return "<LogEntry>"

    def open_for_backfill(self) -> Backfilled:
        """The form in which it is given to members who have missed it."""
        if self.body:
            return BackfilledEntry(self.header, self.body)
        if self.retraction is None:
            return Tombstone(self.header, self.digest)
        by = self.retraction
        return RetractedEntry(self.header, self.digest, by.epoch, by.header, by.body)


class LogBatch(msgspec.Struct, gc=False):
    """Entries from the index `first` on, and their head. time: of the room, as the head says.

    wire: the batch as it is sent; empty once dropped. commit_secret: of the commit that it ends with. expired: the
    number of the log's latest expiry that took something out of it.
    """

    first: int
    entries: tuple[LogEntry, ...]
    head: bytes
    time: int
    wire: bytes
    commit_secret: CommitSecret | None = None
    expired: int = 0

    def __repr__(self) -> str:
        return "<LogBatch>"

    @property
    def end(self) -> int:
        """The index after its last entry."""
        return self.first + len(self.entries)

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return len(self.wire) + sum(len(entry.body) for entry in self.entries)


class Piece(NamedTuple):
    """Batches as they are sent, and the index after them."""

    data: bytes
    end: int

    def __repr__(self) -> str:
        return "<Piece>"


NO_PIECE: Final = Piece(b"", 0)


class Log:
    """Batches in their order; the oldest are dropped beyond the limits in bytes and entries.

    first: index of its first entry. An entry's index is its place in the whole log; `end` is the index of the next one.
    Batches before `start` are only of use once they are opened for backfill; those before `oldest` were dropped.
    `sealed_end` is the index after the last entry that a head covers. `time` is the latest time of the room that the
    log was given, in milliseconds; `head` the latest head, which is not older than any expiry.
    """

    def __init__(self, first: int = FIRST) -> None:
        self.start = first
        self.oldest = first
        self.time = 0
        self.head = b""
        self.expiries = 0  # how often something has expired
        self._batches: list[LogBatch] = []
        self._firsts: list[int] = []
        self.sealed_end = first
        self._unsealed: list[tuple[LogEntry, bytes]] = []  # entries without a head, and their bytes
        self._unsealed_size = 0
        self._bytes = 0
        self._schedule = ExpirySchedule()
        self._shared = (0, 0, NO_PIECE)  # cursor, end, and what was joined
        self._retracted: list[tuple[int, Retraction]] = []  # entries that end once a head covers what retracts them

    @property
    def end(self) -> int:
        """The index that the next entry will have."""
        return self.sealed_end + len(self._unsealed)

    @property
    def is_sealed(self) -> bool:
        """Whether there is a head after the last entry."""
        return not self._unsealed

    def fits_in_batch(self, sealed: bytes) -> bool:
        """Whether the batch, with one more entry, still fits in a payload of the usual size."""
        return not self._unsealed or self._unsealed_size + len(sealed) + _AROUND <= limits.BATCH_BYTES

    def append_entry(self, sealed: bytes, entry: LogEntry) -> None:
        """Adds an entry at the next index. sealed: as its author sent it; empty where it is only read opened."""
        self._unsealed.append((entry, sealed))
        self._unsealed_size += len(sealed) + _BESIDE + (0 if entry.context is None else 1 + len(entry.context))

    @property
    def unsealed(self) -> list[tuple[LogEntry, bytes]]:
        """The entries that no head covers yet, each with its bytes as its author sent them."""
        return self._unsealed

    def seal_batch(self, head: bytes, wire: bytes, time: int) -> list[LogBatch]:
        """Makes a batch of the entries without a head. wire: as it is sent, empty where it is only read opened.

        Returns the batches dropped for it.
        """
        self.time, self.head = time, head
        if not self._unsealed:
            return []  # a head alone, of which there is one every few seconds though nobody talks
        batch = LogBatch(self.sealed_end, tuple(entry for entry, _ in self._unsealed), head, time, wire)
        self._unsealed, self._unsealed_size = [], 0
        for index, entry in enumerate(batch.entries, batch.first):
            if entry.body:
                self._schedule.add_entry(index, entry.ttl, time)
        self._batches.append(batch)
        self._firsts.append(batch.first)
        self.sealed_end = batch.end
        self._bytes += batch.size
        is_full = self._bytes > limits.LOG_BYTES or self.sealed_end - self.oldest > limits.LOG_ENTRIES
        return self._drop_oldest() if is_full else []

    def _drop_oldest(self) -> list[LogBatch]:
        # An eighth more than needed, since taking items off a list's front costs as much as the list is long.
        keep_bytes, keep_entries = limits.LOG_BYTES * 7 // 8, limits.LOG_ENTRIES * 7 // 8
        dropped_count = 0
        while dropped_count < len(self._batches) - 1 and (
            self._bytes > keep_bytes or self.sealed_end - self._firsts[dropped_count] > keep_entries
        ):
            self._bytes -= self._batches[dropped_count].size
            dropped_count += 1
        dropped = self._batches[:dropped_count]
        del self._batches[:dropped_count], self._firsts[:dropped_count]
        self.oldest = self._firsts[0]
        self.start = max(self.start, self.oldest)
        self._forget_shared()
        if self._schedule.forget_before(self.oldest):
            self.expiries += 1  # so that links that still hold such an entry are checked
        return dropped

    def _forget_shared(self) -> None:
        self._shared = (0, 0, NO_PIECE)

    def may_cut(self, index: int) -> bool:
        """Whether the log can end with this entry: one that is kept, or the one before, and with which a batch ends."""
        return self.is_sealed and (index + 1 in (self.oldest, self.sealed_end) or index + 1 in self._firsts)

    def cut_after(self, index: int) -> list[LogBatch]:
        """Takes out all batches after this entry, where that may be; returns them. No link reads the log."""
        kept = bisect_right(self._firsts, index)
        cut = self._batches[kept:]
        del self._batches[kept:], self._firsts[kept:]
        self._bytes -= sum(batch.size for batch in cut)
        self.sealed_end = index + 1
        self.start = min(self.start, self.sealed_end)
        self.head = self._batches[-1].head if self._batches else b""
        self._schedule.forget_after(index)
        self._forget_shared()
        return cut

    # --- commits

    def end_epoch(self, commit_secret: CommitSecret) -> None:
        """Notes that the last batch ends with this commit: what follows is of another epoch.

        Each link is given that batch opened, in one record with its commit share: that takes fewer bytes.
        """
        batch = self._batches[-1]
        batch.commit_secret = commit_secret
        self._drop_wire(batch)

    def forget_commit_secret(self, epoch: int) -> None:
        """Drops the secret of this epoch's commit, and all bytes up to it: members that lack them are too late."""
        at = next(
            (at for at, it in enumerate(self._batches) if it.commit_secret and it.commit_secret.epoch == epoch), None
        )
        if at is None:
            return
        for batch in self._batches[: at + 1]:
            batch.commit_secret = None
            self._drop_wire(batch)
        self.start = batch.end

    def _drop_wire(self, batch: LogBatch) -> None:
        self._bytes -= len(batch.wire)
        batch.wire = b""
        self._forget_shared()

    # --- expiry

    @property
    def next_expiry(self) -> int | None:
        """When the next entry may expire, in the room's milliseconds."""
        return self._schedule.next_time(self.time)

    def expire_entries(self, time: int, passed: int) -> bool:
        """Drops the entries whose time is over; returns whether there were any.

        time: the room's. passed: up to this index, all links have sent the log.
        """
        self.time = max(self.time, time)
        return self._end_entries(self._schedule.take_expired(time, passed))

    def retract_entry(self, index: int, retraction: Retraction) -> None:
        """The latest entry retracts the one with this index, which ends with `end_retracted`."""
        self._retracted.append((index, retraction))

    def end_retracted(self) -> bool:
        """Drops what was retracted by entries that a head covers now; returns whether there was any."""
        retracted, self._retracted = self._retracted, []
        for index, retraction in retracted:
            if index >= self.oldest and self.find_entry(index).body:
                self.find_entry(index).retraction = retraction
        return self._end_entries([index for index, _ in retracted])

    def _end_entries(self, indices: list[int]) -> bool:
        """Drops the bodies of these entries; returns whether anybody may still hold one of them."""
        ended = [index for index in indices if index < self.oldest or self.find_entry(index).body]
        self.expiries += bool(ended)
        for index in ended:
            if index >= self.oldest:
                batch = self.find_batch(index)
                entry = batch.entries[index - batch.first]
                self._bytes -= len(entry.body)
                entry.body = b""
                batch.expired = self.expiries
                self._drop_wire(batch)
        return bool(ended)

    # --- reading

    @property
    def batches(self) -> Sequence[LogBatch]:
        """All batches that are kept, the oldest first."""
        return self._batches

    def find_entry(self, index: int) -> LogEntry:
        """The entry with this index, which must still be kept; a head need not cover it."""
        if index >= self.sealed_end:
            return self._unsealed[index - self.sealed_end][0]
        batch = self.find_batch(index)
        return batch.entries[index - batch.first]

    def find_batch(self, index: int) -> LogBatch:
        """The batch with the entry of this index, which must still be kept."""
        return self._batches[bisect_right(self._firsts, index) - 1]

    def count_batches(self, index: int) -> int:
        """How many batches there are from the one with this index on."""
        return len(self._firsts) - bisect_right(self._firsts, index) + 1 if index < self.sealed_end else 0

    def find_index_since(self, time: int) -> int:
        """The index of the first entry that is not older than this; that of the next entry if there is none."""
        at = bisect_left(self._batches, time, key=lambda batch: batch.time)
        return self._firsts[at] if at < len(self._firsts) else self.sealed_end

    def time_at(self, index: int) -> int:
        """The time of the entry with this index, or of the one before; 0 if none of them is kept."""
        at = bisect_right(self._firsts, index) - 1
        return self._batches[at].time if at >= 0 else 0

    def join_batches(self, cursor: int, end: int) -> Piece:
        """The batches from this index on, in one piece that readers at the same place share.

        At most `limits.WRITE_BYTES`, or one batch: that bounds what a slow reader's pending write holds in memory. The
        piece ends before a batch that has no bytes, as those that end with a commit, and before `end`.
        """
        if self._shared[:2] != (cursor, end):
            self._shared = (cursor, end, self._join_batches(cursor, end))
        return self._shared[2]

    def _join_batches(self, cursor: int, end: int) -> Piece:
        pieces: list[bytes] = []
        size = 0
        while cursor < end:
            batch = self.find_batch(cursor)
            size += len(batch.wire)
            if not batch.wire or (size > limits.WRITE_BYTES and pieces):
                break
            pieces.append(batch.wire)
            cursor = batch.end
        return Piece(pieces[0] if len(pieces) == 1 else b"".join(pieces), cursor)

    def backfill_batch(self, cursor: int) -> frames.BackfillFrame:
        """The entries from this index to the end of its batch, opened."""
        batch = self.find_batch(cursor)
        entries = batch.entries[cursor - batch.first :]
        opened, contexts = [entry.open_for_backfill() for entry in entries], [entry.context for entry in entries]
        return frames.BackfillFrame(opened, contexts, batch.head, self.head)
