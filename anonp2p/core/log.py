"""The ordered log as bytes: every entry encoded once, read by any number of links, each at its own place.

Heads lie between entries in these bytes: one after each burst of entries, in one piece with the last of them. Beside
the bytes there are the entries opened, for members who come back in another epoch, when the bytes are worth nothing.
"""

from typing import Final

from anonp2p import limits
from anonp2p.core import frames
from anonp2p.core.epochs.commit import Turn
from anonp2p.core.handshake import Channel
from anonp2p.errors import PeerFault

FIRST: Final = 1  # index of a room's first entry


class Log:
    """Entries in their order; the oldest are dropped beyond the limits in bytes and entries.

    An entry's index is its place in the room's whole history; `end` is the place of the next one. From `start` on there
    are their bytes, from `oldest` on what was opened of them.
    """

    def __init__(self) -> None:
        self.start = FIRST
        self.oldest = FIRST
        self._wire: list[bytes] = []
        self._opened: list[tuple[bytes, bytes]] = []  # header and body
        self._sealed = FIRST
        self._bytes = 0
        self._turns: dict[int, Turn] = {}  # by the index of their commit
        self._batch: tuple[int, int, bytes, int] = (FIRST, FIRST, b"", FIRST)  # cursor, end, bytes, next cursor

    @property
    def end(self) -> int:
        """The index that the next entry will have."""
        return self.oldest + len(self._opened)

    @property
    def is_sealed(self) -> bool:
        """Whether there is a head after the last entry."""
        return self._sealed == self.end

    def append(self, wire: bytes, header: bytes, body: bytes) -> None:
        """Takes the next place. wire: as it is sent; header, body: as it was opened."""
        self._wire.append(wire)
        self._opened.append((header, body))
        self._bytes += len(wire) + len(body)
        if self._bytes > limits.LOG_BYTES or len(self._opened) > limits.LOG_ENTRIES:
            self._drop()

    def _drop(self) -> None:
        # An eighth more than needed, since taking items off a list's front costs as much as the list is long.
        keep_bytes, keep_entries = limits.LOG_BYTES * 7 // 8, limits.LOG_ENTRIES * 7 // 8
        gone = 0
        while self._bytes > keep_bytes or len(self._opened) - gone > keep_entries:
            self._bytes -= len(self._opened[gone][1])
            if self.oldest + gone >= self.start:
                self._bytes -= len(self._wire[self.oldest + gone - self.start])
            gone += 1
        del self._opened[:gone]
        self.oldest += gone
        self._drop_wire(max(self.start, self.oldest))

    def _drop_wire(self, start: int) -> None:
        del self._wire[: start - self.start]
        self.start = start
        self._turns = {index: turn for index, turn in self._turns.items() if index >= start}

    def seal(self, head: bytes) -> None:
        """Puts a head after the last entry."""
        self._wire[-1] += head
        self._bytes += len(head)
        self._sealed = self.end

    def turn(self, turn: Turn) -> None:
        """The last entry is a commit; what follows is of another epoch."""
        self._turns[self.end - 1] = turn

    def forget_turn(self, epoch: int) -> None:
        """The secret of this epoch's commit goes, and with it the bytes up to there: whoever lacks them is too late."""
        for index in [index for index, turn in self._turns.items() if turn.epoch == epoch]:
            self._bytes -= sum(map(len, self._wire[: index + 1 - self.start]))
            self._drop_wire(index + 1)

    def turn_before(self, cursor: int) -> Turn | None:
        """The commit that ends just before this place, if one does."""
        return self._turns.get(cursor - 1)

    def opened(self, index: int) -> tuple[bytes, bytes]:
        """Header and body of an entry that is still here."""
        return self._opened[index - self.oldest]

    def since(self, cursor: int, end: int | None = None) -> tuple[bytes, int]:
        """The entries from this index on, in one piece that readers at the same place share, and the cursor after them.

        At most limits.BATCH bytes, or one entry: what a slow reader's pending write holds in memory is bounded by it.
        Never beyond a commit, and not as far as `end`.
        """
        end = self.end if end is None else end
        if self._batch[:2] != (cursor, end):
            self._batch = (cursor, end, *self._join(cursor, end))
        return self._batch[2:]

    def _join(self, cursor: int, end: int) -> tuple[bytes, int]:
        first = last = cursor - self.start
        size = 0
        while last < end - self.start:
            size += len(self._wire[last])
            if size > limits.BATCH and last > first:
                break
            last += 1
            if self.start + last - 1 in self._turns:
                break
        return b"".join(self._wire[first:last]), self.start + last


class Reader:
    """One member's way through the log: what of it goes over its link next.

    cursor: where it begins; past: from which entry on the member is given them opened, up to the cursor. leaf: to which
    its slices are sealed; may change.
    """

    def __init__(
        self, log: Log, cursor: int, member: bytes, leaf: bytes, channel: Channel, past: int | None = None
    ) -> None:
        self.leaf = leaf
        self._log = log
        self._cursor = cursor
        self._past = cursor if past is None else past
        self._welcome = cursor
        self._member = member
        self._channel = channel
        self._end: int | None = None

    @property
    def lags(self) -> bool:
        """Whether the log no longer has what comes next."""
        if self._past < self._welcome:
            return self._past < self._log.oldest
        return self._cursor < self._log.start and not self.is_out

    @property
    def is_through(self) -> bool:
        """Whether there is nothing left to send."""
        return self._past == self._welcome and (self.is_out or self._cursor == self._log.end)

    @property
    def is_out(self) -> bool:
        """Whether the member has all that it is to get."""
        return self._end is not None and self._cursor >= self._end

    def stop(self) -> None:
        """What is ordered from now on is nothing for this member."""
        self._end = self._log.end

    def take(self) -> bytes:
        """What goes next, in one piece; empty if there is nothing. Raises PeerFault when the member was left behind."""
        if self.lags:
            raise PeerFault("it lagged too far behind")
        if self._past < self._welcome:
            return self._take_past()
        if self.is_out:
            return b""
        data, self._cursor = self._log.since(self._cursor, self._end)
        turn = self._log.turn_before(self._cursor)
        if data and turn is not None and not self.is_out:
            data += self._channel.seal(frames.Slice(turn.slice(self._member, self.leaf)))
        return data

    def _take_past(self) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while self._past < self._welcome and size < limits.BATCH:
            pieces.append(self._channel.seal(frames.Past(*self._log.opened(self._past))))
            size += len(pieces[-1])
            self._past += 1
        return b"".join(pieces)
