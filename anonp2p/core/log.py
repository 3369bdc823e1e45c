"""The ordered log as bytes: every entry encoded once, read by any number of links, each from its own cursor.

Heads lie between entries in these bytes: one after each burst of entries, in one piece with the last of them.
"""

from anonp2p import limits


class Log:
    """Encoded entries in their order; the oldest are dropped beyond the limits in bytes and entries.

    An entry's index is its place in the room's whole history, from `first`; `end` is the place of the next one.
    """

    def __init__(self, first: int) -> None:
        self._entries: list[bytes] = []
        self._digests: list[bytes] = []
        self._sealed = first
        self._start = first
        self._bytes = 0
        self._batch: tuple[int, int, bytes, int] = (first, first, b"", first)  # cursor, end, bytes, next cursor

    @property
    def start(self) -> int:
        """The index of the oldest entry that is still here."""
        return self._start

    @property
    def end(self) -> int:
        """The index that the next entry will have."""
        return self._start + len(self._entries)

    @property
    def is_sealed(self) -> bool:
        """Whether there is a head after the last entry."""
        return self._sealed == self.end

    def append(self, entry: bytes, digest: bytes) -> None:
        """Takes the next place. digest: the log's hash up to this entry."""
        self._entries.append(entry)
        self._digests.append(digest)
        self._bytes += len(entry)
        if self._bytes > limits.LOG_BYTES or len(self._entries) > limits.LOG_ENTRIES:
            self._drop()

    def _drop(self) -> None:
        # An eighth more than needed, since taking items off a list's front costs as much as the list is long.
        keep_bytes, keep_entries = limits.LOG_BYTES * 7 // 8, limits.LOG_ENTRIES * 7 // 8
        gone = 0
        while self._bytes > keep_bytes or len(self._entries) - gone > keep_entries:
            self._bytes -= len(self._entries[gone])
            gone += 1
        del self._entries[:gone]
        del self._digests[:gone]
        self._start += gone

    def seal(self, head: bytes) -> None:
        """Puts a head after the last entry."""
        self._entries[-1] += head
        self._bytes += len(head)
        self._sealed = self.end

    def cursor_after(self, index: int, digest: bytes) -> int | None:
        """Where one goes on who has the log up to this index, with this hash; None if we cannot tell, or differ."""
        at = index - self._start
        return index + 1 if 0 <= at < len(self._digests) and self._digests[at] == digest else None

    def since(self, cursor: int) -> tuple[bytes, int] | None:
        """The entries from this index on, in one piece that readers at the same place share, and the cursor after them.

        None if the log no longer reaches back that far. At most limits.BATCH bytes, or one entry: what a slow reader's
        pending write holds in memory is bounded by it.
        """
        if cursor < self._start:
            return None
        if self._batch[0] != cursor or self._batch[1] != self.end:
            self._batch = (cursor, self.end, *self._join(cursor))
        return self._batch[2:]

    def _join(self, cursor: int) -> tuple[bytes, int]:
        first = last = cursor - self._start
        size = 0
        while last < len(self._entries) and (size := size + len(self._entries[last])) <= limits.BATCH:
            last += 1
        if last == first and first < len(self._entries):
            last += 1  # it is longer than any batch
        return b"".join(self._entries[first:last]), self._start + last
