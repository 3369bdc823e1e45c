"""The ordered log, batch by batch: each encoded once, read by any number of links, each at its own place.

A batch is entries and the head that covers them. Beside its bytes there are its entries opened: for members who come
back in another epoch, when the bytes are worth nothing, and for all once something in it has expired, when there are
none any more.
"""

import heapq
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

from anonp2p import limits
from anonp2p.crypto.commit import CommitSecret
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.protocol import frames

FIRST: Final = 1  # index of a room's first entry

_AROUND = 192  # bytes of a batch's payload beside its entries, at most


# Structs that the collector need not look at: with as many as there are, it would hold up everybody for 50 ms.


class LogEntry(msgspec.Struct, gc=False):
    """An entry that has its place. digest: of its body, which is empty once it has expired; ttl: as in its header."""

    header: bytes
    digest: bytes
    body: bytes
    ttl: int

    def __repr__(self) -> str:
        return "<LogEntry>"

    def open_for_backfill(self) -> frames.BackfilledEntry | frames.Tombstone:
        """As it is given to those who have missed it."""
        return (
            frames.BackfilledEntry(self.header, self.body) if self.body else frames.Tombstone(self.header, self.digest)
        )


class LogBatch(msgspec.Struct, gc=False):
    """Entries from the index `first` on, and their head, of this time of the room.

    wire: as it is sent; empty when it is no more. commit_secret: of the commit that it ends with. expired: at which
    expiry of the log something in it has gone last.
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


class Log:
    """Batches in their order; the oldest are dropped beyond the limits in bytes and entries.

    An entry's index is its place in the room's whole history; `end` is the place of the next one. What is before
    `start` is nothing for those who have only the keys of then; what is before `oldest` is not here any more. `time` is
    the room's, in milliseconds, as far as the log was told.
    """

    def __init__(self) -> None:
        self.start = FIRST
        self.oldest = FIRST
        self.time = 0
        self.expiries = 0  # how often something has expired
        self._batches: list[LogBatch] = []
        self._firsts: list[int] = []
        self._end = FIRST  # of what is in batches
        self._unsealed: list[tuple[LogEntry, bytes]] = []  # what is in none yet, and how it is sealed
        self._unsealed_size = 0
        self._bytes = 0
        self._due: list[tuple[int, int]] = []  # when which entries expire, soonest first
        self._fleeting: deque[tuple[int, int]] = deque()  # those that are never kept, by when they have to go
        self._shared: tuple[int, int, bytes, int] = (0, 0, b"", 0)  # cursor, end, bytes, next cursor

    @property
    def end(self) -> int:
        """The index that the next entry will have."""
        return self._end + len(self._unsealed)

    @property
    def sealed_end(self) -> int:
        """The same, of what a head covers."""
        return self._end

    @property
    def is_sealed(self) -> bool:
        """Whether there is a head after the last entry."""
        return not self._unsealed

    def fits_in_batch(self, sealed: bytes) -> bool:
        """Whether one more entry leaves the batch a usual payload."""
        return not self._unsealed or self._unsealed_size + len(sealed) + _AROUND <= limits.BATCH_BYTES

    def append_entry(self, sealed: bytes, entry: LogEntry) -> None:
        """Takes the next place. sealed: as its author sent it."""
        self._unsealed.append((entry, sealed))
        self._unsealed_size += len(sealed) + 3

    @property
    def unsealed(self) -> list[bytes]:
        """The entries that no head covers yet, as their authors sent them."""
        return [sealed for _, sealed in self._unsealed]

    def seal_batch(self, head: bytes, wire: bytes, time: int) -> list[LogBatch]:
        """What has no head yet gets one; wire: the batch as it is sent. Returns what there is no room for any more."""
        batch = LogBatch(self._end, tuple(entry for entry, _ in self._unsealed), head, time, wire)
        self._unsealed, self._unsealed_size = [], 0
        self.time = time
        for index, entry in enumerate(batch.entries, batch.first):
            if entry.ttl == FLEETING:
                self._fleeting.append((time + int(limits.FLEETING * 1000), index))
            elif entry.ttl != KEPT:
                heapq.heappush(self._due, (time + entry.ttl * 1000, index))
        self._batches.append(batch)
        self._firsts.append(batch.first)
        self._end = batch.end
        self._bytes += batch.size
        is_full = self._bytes > limits.LOG_BYTES or self._end - self.oldest > limits.LOG_ENTRIES
        return self._drop_oldest() if is_full else []

    def _drop_oldest(self) -> list[LogBatch]:
        # An eighth more than needed, since taking items off a list's front costs as much as the list is long.
        keep_bytes, keep_entries = limits.LOG_BYTES * 7 // 8, limits.LOG_ENTRIES * 7 // 8
        dropped_count = 0
        while dropped_count < len(self._batches) - 1 and (
            self._bytes > keep_bytes or self._end - self._firsts[dropped_count] > keep_entries
        ):
            self._bytes -= self._batches[dropped_count].size
            dropped_count += 1
        dropped = self._batches[:dropped_count]
        del self._batches[:dropped_count], self._firsts[:dropped_count]
        self.oldest = self._firsts[0]
        self.start = max(self.start, self.oldest)
        self._forget_shared()
        self._forget_due()
        return dropped

    def _forget_due(self) -> None:
        """What has been dropped does not wait for its end: with a year to live it would do so for long."""
        due = [it for it in self._due if it[1] >= self.oldest]
        if len(due) != len(self._due):
            self.expiries += 1  # who has it on the way still is not told of its end any more
            heapq.heapify(due)
            self._due = due

    def _forget_shared(self) -> None:
        self._shared = (0, 0, b"", 0)

    @property
    def held_bytes(self) -> int:
        """Bytes of batches and bodies that are still here: what limits.LOG_BYTES bounds."""
        return self._bytes

    @property
    def scheduled(self) -> int:
        """How many entries have a time at which they expire."""
        return len(self._due)

    # --- commits

    def end_epoch(self, commit_secret: CommitSecret) -> None:
        """The last batch ends with a commit; what follows is of another epoch."""
        self._batches[-1].commit_secret = commit_secret

    def forget_commit_secret(self, epoch: int) -> None:
        """The secret of this epoch's commit goes, and with it the bytes up to there: whoever lacks them is too late."""
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
        """When there is something to expire next, in the room's milliseconds."""
        due = [self._due[0][0]] if self._due else []
        if self._fleeting:
            due += [self.time + int(limits.FLEETING_CHECK * 1000), self._fleeting[0][0]]
        return min(due, default=None)

    def expire_entries(self, time: int, passed: int) -> bool:
        """Drops whatever its author does not want kept any longer; whether that was anything.

        time: the room's. passed: up to here everybody has the log who is there.
        """
        self.time = max(self.time, time)
        over: list[int] = []
        while self._due and self._due[0][0] <= time:
            over.append(heapq.heappop(self._due)[1])
        while self._fleeting and (self._fleeting[0][1] < passed or self._fleeting[0][0] <= time):
            over.append(self._fleeting.popleft()[1])
        self.expiries += bool(over)
        for index in over:
            if index >= self.oldest:
                batch = self.find_batch(index)
                entry = batch.entries[index - batch.first]
                self._bytes -= len(entry.body)
                entry.body = b""
                batch.expired = self.expiries
                self._drop_wire(batch)
        return bool(over)

    # --- reading

    @property
    def batches(self) -> Sequence[LogBatch]:
        """All that are still here, the oldest first."""
        return self._batches

    @property
    def shared_piece(self) -> bytes:
        """The piece that readers at the same place were given last."""
        return self._shared[2]

    def find_entry(self, index: int) -> LogEntry:
        """The entry with this index, which is still here, whether a head covers it or not."""
        if index >= self._end:
            return self._unsealed[index - self._end][0]
        batch = self.find_batch(index)
        return batch.entries[index - batch.first]

    def find_batch(self, index: int) -> LogBatch:
        """The one in which the entry with this index is, which is still here."""
        return self._batches[bisect_right(self._firsts, index) - 1]

    def find_index_since(self, time: int) -> int:
        """The index of the first entry that is not older than this, or that the next one will have."""
        at = bisect_left(self._batches, time, key=lambda batch: batch.time)
        return self._firsts[at] if at < len(self._firsts) else self._end

    def join_batches(self, cursor: int, end: int) -> tuple[bytes, int]:
        """The batches from this index on, in one piece that readers at the same place share, and the cursor after them.

        At most `limits.WRITE_BYTES`, or one batch: that bounds what a slow reader's pending write holds in memory. The
        piece ends with a commit, before a batch that has no bytes, and before `end`.
        """
        if self._shared[:2] != (cursor, end):
            self._shared = (cursor, end, *self._join_batches(cursor, end))
        return self._shared[2:]

    def _join_batches(self, cursor: int, end: int) -> tuple[bytes, int]:
        pieces: list[bytes] = []
        size = 0
        while cursor < end:
            batch = self.find_batch(cursor)
            size += len(batch.wire)
            if not batch.wire or (size > limits.WRITE_BYTES and pieces):
                break
            pieces.append(batch.wire)
            cursor = batch.end
            if batch.commit_secret is not None:
                break
        return (pieces[0] if len(pieces) == 1 else b"".join(pieces)), cursor

    def backfill_batch(self, cursor: int) -> frames.BackfillFrame:
        """From this index on to the end of its batch, opened."""
        batch = self.find_batch(cursor)
        entries = [entry.open_for_backfill() for entry in batch.entries[cursor - batch.first :]]
        return frames.BackfillFrame(entries, batch.head, self._end - 1, self.time)
