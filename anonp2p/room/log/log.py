"""The ordered log, burst by burst: each encoded once, read by any number of links, each at its own place.

A burst is entries and the head that covers them. Beside its bytes there are its entries opened: for members who come
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
from anonp2p.crypto.commit import Turn
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel

FIRST: Final = 1  # index of a room's first entry

_AROUND = 192  # bytes of a burst's payload beside its entries, at most


# Structs that the collector need not look at: with as many as there are, it would hold up everybody for 50 ms.


class Entry(msgspec.Struct, gc=False):
    """An entry that has its place. digest: of its body, which is empty once it has expired; ttl: as in its header."""

    header: bytes
    digest: bytes
    body: bytes
    ttl: int

    def __repr__(self) -> str:
        return "<Entry>"

    def opened(self) -> frames.Opened | frames.Gone:
        """As it is given to those who have missed it."""
        return frames.Opened(self.header, self.body) if self.body else frames.Gone(self.header, self.digest)


class Burst(msgspec.Struct, gc=False):
    """Entries from the index `first` on, and their head, of this time of the room.

    wire: as it is sent; empty when it is no more. turn: of the commit that it ends with. expired: at which expiry
    of the log something in it has gone last.
    """

    first: int
    entries: tuple[Entry, ...]
    head: bytes
    time: int
    wire: bytes
    turn: Turn | None = None
    expired: int = 0

    def __repr__(self) -> str:
        return "<Burst>"

    @property
    def end(self) -> int:
        """The index after its last entry."""
        return self.first + len(self.entries)

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return len(self.wire) + sum(len(entry.body) for entry in self.entries)


class Log:
    """Bursts in their order; the oldest are dropped beyond the limits in bytes and entries.

    An entry's index is its place in the room's whole history; `end` is the place of the next one. What is before
    `start` is nothing for those who have only the keys of then; what is before `oldest` is not here any more. `time` is
    the room's, in milliseconds, as far as the log was told.
    """

    def __init__(self) -> None:
        self.start = FIRST
        self.oldest = FIRST
        self.time = 0
        self.expiries = 0  # how often something has expired
        self._bursts: list[Burst] = []
        self._firsts: list[int] = []
        self._end = FIRST  # of what is in bursts
        self._open: list[tuple[Entry, bytes]] = []  # what is in none yet, and how it is sealed
        self._open_size = 0
        self._bytes = 0
        self._due: list[tuple[int, int]] = []  # when which entries expire, soonest first
        self._fleeting: deque[tuple[int, int]] = deque()  # those that are never kept, by when they have to go
        self._shared: tuple[int, int, bytes, int] = (0, 0, b"", 0)  # cursor, end, bytes, next cursor

    @property
    def end(self) -> int:
        """The index that the next entry will have."""
        return self._end + len(self._open)

    @property
    def sealed_end(self) -> int:
        """The same, of what a head covers."""
        return self._end

    @property
    def is_sealed(self) -> bool:
        """Whether there is a head after the last entry."""
        return not self._open

    def fits(self, sealed: bytes) -> bool:
        """Whether one more entry leaves the burst a usual payload."""
        return not self._open or self._open_size + len(sealed) + _AROUND <= limits.BURST

    def append(self, sealed: bytes, entry: Entry) -> None:
        """Takes the next place. sealed: as its author sent it."""
        self._open.append((entry, sealed))
        self._open_size += len(sealed) + 3

    @property
    def unsealed(self) -> list[bytes]:
        """The entries that no head covers yet, as their authors sent them."""
        return [sealed for _, sealed in self._open]

    def seal(self, head: bytes, wire: bytes, time: int) -> list[Burst]:
        """What has no head yet gets one; wire: the burst as it is sent. Returns what there is no room for any more."""
        burst = Burst(self._end, tuple(entry for entry, _ in self._open), head, time, wire)
        self._open, self._open_size = [], 0
        self.time = time
        for index, entry in enumerate(burst.entries, burst.first):
            if entry.ttl == FLEETING:
                self._fleeting.append((time + int(limits.FLEETING * 1000), index))
            elif entry.ttl != KEPT:
                heapq.heappush(self._due, (time + entry.ttl * 1000, index))
        self._bursts.append(burst)
        self._firsts.append(burst.first)
        self._end = burst.end
        self._bytes += burst.size
        is_full = self._bytes > limits.LOG_BYTES or self._end - self.oldest > limits.LOG_ENTRIES
        return self._drop() if is_full else []

    def _drop(self) -> list[Burst]:
        # An eighth more than needed, since taking items off a list's front costs as much as the list is long.
        keep_bytes, keep_entries = limits.LOG_BYTES * 7 // 8, limits.LOG_ENTRIES * 7 // 8
        gone = 0
        while gone < len(self._bursts) - 1 and (
            self._bytes > keep_bytes or self._end - self._firsts[gone] > keep_entries
        ):
            self._bytes -= self._bursts[gone].size
            gone += 1
        dropped = self._bursts[:gone]
        del self._bursts[:gone], self._firsts[:gone]
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

    def turn(self, turn: Turn) -> None:
        """The last burst ends with a commit; what follows is of another epoch."""
        self._bursts[-1].turn = turn

    def forget_turn(self, epoch: int) -> None:
        """The secret of this epoch's commit goes, and with it the bytes up to there: whoever lacks them is too late."""
        at = next((at for at, it in enumerate(self._bursts) if it.turn and it.turn.epoch == epoch), None)
        if at is None:
            return
        for burst in self._bursts[: at + 1]:
            burst.turn = None
            self._drop_wire(burst)
        self.start = burst.end

    def _drop_wire(self, burst: Burst) -> None:
        self._bytes -= len(burst.wire)
        burst.wire = b""
        self._forget_shared()

    # --- expiry

    @property
    def next_expiry(self) -> int | None:
        """When there is something to expire next, in the room's milliseconds."""
        due = [self._due[0][0]] if self._due else []
        if self._fleeting:
            due += [self.time + int(limits.FLEETING_LOOK * 1000), self._fleeting[0][0]]
        return min(due, default=None)

    def expire(self, time: int, passed: int) -> bool:
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
                burst = self.burst(index)
                entry = burst.entries[index - burst.first]
                self._bytes -= len(entry.body)
                entry.body = b""
                burst.expired = self.expiries
                self._drop_wire(burst)
        return bool(over)

    # --- reading

    @property
    def bursts(self) -> Sequence[Burst]:
        """All that are still here, the oldest first."""
        return self._bursts

    @property
    def shared_piece(self) -> bytes:
        """The piece that readers at the same place were given last."""
        return self._shared[2]

    def entry(self, index: int) -> Entry:
        """The entry with this index, which is still here, whether a head covers it or not."""
        if index >= self._end:
            return self._open[index - self._end][0]
        burst = self.burst(index)
        return burst.entries[index - burst.first]

    def burst(self, index: int) -> Burst:
        """The one in which the entry with this index is, which is still here."""
        return self._bursts[bisect_right(self._firsts, index) - 1]

    def since_time(self, time: int) -> int:
        """The index of the first entry that is not older than this, or that the next one will have."""
        at = bisect_left(self._bursts, time, key=lambda burst: burst.time)
        return self._firsts[at] if at < len(self._firsts) else self._end

    def since(self, cursor: int, end: int) -> tuple[bytes, int]:
        """The bursts from this index on, in one piece that readers at the same place share, and the cursor after them.

        At most limits.BATCH bytes, or one burst: what a slow reader's pending write holds in memory is bounded by it.
        Never beyond a commit, not over a burst that has no bytes, and not as far as `end`.
        """
        if self._shared[:2] != (cursor, end):
            self._shared = (cursor, end, *self._join(cursor, end))
        return self._shared[2:]

    def _join(self, cursor: int, end: int) -> tuple[bytes, int]:
        pieces: list[bytes] = []
        size = 0
        while cursor < end:
            burst = self.burst(cursor)
            size += len(burst.wire)
            if not burst.wire or (size > limits.BATCH and pieces):
                break
            pieces.append(burst.wire)
            cursor = burst.end
            if burst.turn is not None:
                break
        return (pieces[0] if len(pieces) == 1 else b"".join(pieces)), cursor

    def past(self, cursor: int) -> frames.Past:
        """From this index on to the end of its burst, opened."""
        burst = self.burst(cursor)
        entries = [entry.opened() for entry in burst.entries[cursor - burst.first :]]
        return frames.Past(entries, burst.head, self._end - 1, self.time)


class Reader:
    """One member's way through the log: what of it goes over its link next.

    cursor: where it begins; opened: up to where it is given opened what it has missed. leaf: to which its slices are
    sealed; may change.
    """

    def __init__(
        self, log: Log, cursor: int, member: bytes, leaf: bytes, channel: Channel, opened: int | None = None
    ) -> None:
        self.leaf = leaf
        self._log = log
        self._cursor = self._passed = cursor
        self._opened = cursor if opened is None else opened
        self._member = member
        self._channel = channel
        self._taken_at = 0  # how often something in the log had expired then
        self._end: int | None = None

    @property
    def lags(self) -> bool:
        """Whether the log no longer has what comes next."""
        if self._cursor < self._opened:
            return self._cursor < self._log.oldest
        return self._cursor < self._log.start and not self.is_out

    @property
    def is_through(self) -> bool:
        """Whether there is nothing left to send."""
        return self.is_out or self._cursor == self._log.sealed_end

    @property
    def is_out(self) -> bool:
        """Whether the member has all that it is to get."""
        return self._end is not None and self._cursor >= self._end

    @property
    def passed(self) -> int:
        """Up to where its bytes have left us."""
        return self._passed

    @property
    def holds_what_is_gone(self) -> bool:
        """Whether bytes on their way have something in them that has expired."""
        cursor = self._passed
        if self._taken_at == self._log.expiries or cursor == self._cursor:
            return False
        while self._log.oldest <= cursor < self._cursor:
            burst = self._log.burst(cursor)
            if burst.expired > self._taken_at:
                return True
            cursor = burst.end
        return cursor < self._cursor  # of what the log has no more, nobody knows any more

    def stop(self) -> None:
        """What is ordered from now on is nothing for this member."""
        self._end = self._log.end

    def sent(self) -> None:
        """All that was taken has left us."""
        self._passed = self._cursor

    def take(self) -> bytes:
        """What goes next, in one piece; empty if there is nothing. Raises PeerFault when the member was left behind."""
        if self.lags:
            raise PeerFault("it lagged too far behind")
        if self.is_through:
            return b""
        if self._passed == self._cursor:
            self._taken_at = self._log.expiries
        if self._cursor < self._opened or not self._log.burst(self._cursor).wire:
            return self._take_opened()
        end = self._log.sealed_end if self._end is None else self._end
        data, self._cursor = self._log.since(self._cursor, end)
        return data + self._slice()

    def _take_opened(self) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while not (self.is_through or self.lags) and size < limits.BATCH:
            if self._cursor >= self._opened and self._log.burst(self._cursor).wire:
                break
            past = self._log.past(self._cursor)
            self._cursor = self._log.burst(self._cursor).end
            pieces.append(self._channel.seal([past]) + self._slice())
            size += len(pieces[-1])
        return b"".join(pieces)

    def _slice(self) -> bytes:
        """Our member's, if we have just come to a commit."""
        turn = self._log.burst(self._cursor - 1).turn
        if turn is None or self.is_out or self._cursor <= self._opened:  # a Welcome has told it more than that
            return b""
        return self._channel.seal([frames.Slice(turn.slice(self._member, self.leaf))])
