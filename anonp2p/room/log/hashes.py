"""What the digests of the log are made of, kept far beyond the bodies: a member is proven what it has missed."""

from typing import Final

from anonp2p import limits

_HASH: Final = 32  # bytes
_STEP: Final = 33 + _HASH  # bytes of a header and of the hash of a body
_ROW: Final = _STEP + 2 * _HASH  # the same with the group context, where it changes, and the digest of the log
_UNCHANGED: Final = bytes(_HASH)


class LogHashes:
    """Header, hash of the body, group context and digest of each entry, of the latest `limits.PROOF_ENTRIES` at least.

    first: index of the oldest of them; before: the digest of the log before it.
    """

    def __init__(self, first: int, before: bytes) -> None:
        self.first = first
        self._before = before
        self._rows = bytearray()

    @property
    def end(self) -> int:
        """The index that the next entry will have."""
        return self.first + len(self._rows) // _ROW

    def append_entry(self, header: bytes, body_hash: bytes, digest: bytes, context: bytes | None) -> None:
        """Adds an entry at the next index. digest: of the log up to it; context: None if it leaves that as it is."""
        self._rows += header + body_hash + (context or _UNCHANGED) + digest
        excess = len(self._rows) // _ROW - limits.PROOF_ENTRIES
        if excess > limits.PROOF_EXCESS:
            end = excess * _ROW
            self._before = bytes(self._rows[end - _HASH : end])
            del self._rows[:end]
            self.first += excess

    def cut_after(self, index: int) -> None:
        """Takes out what comes after this entry."""
        del self._rows[(index + 1 - self.first) * _ROW :]

    def digest_at(self, index: int) -> bytes | None:
        """The digest of the log up to this entry; None if it is not there yet, or is too old."""
        if index == self.first - 1:
            return self._before
        if not self.first <= index < self.end:
            return None
        end = (index - self.first + 1) * _ROW
        return bytes(self._rows[end - _HASH : end])

    def list_steps(self, first: int, end: int) -> list[bytes]:
        """Of each entry from one index to before another, what its digest is made of; all of them are kept."""
        starts = range((first - self.first) * _ROW, (end - self.first) * _ROW, _ROW)
        rows = [bytes(self._rows[start : start + _ROW]) for start in starts]
        return [row[:_STEP] if row[_STEP:-_HASH] == _UNCHANGED else row[:-_HASH] for row in rows]


class ProofReader:
    """What one link is sent of these: from the index after which its member has missed something to another."""

    def __init__(self, hashes: LogHashes, after: int, last: int) -> None:
        self._hashes = hashes
        self._next = after + 1
        self._end = last + 1

    @property
    def lags(self) -> bool:
        """Whether what comes next is not kept any more."""
        return self._next < self._hashes.first

    @property
    def pieces_left(self) -> int:
        """How many pieces there are to send."""
        return -(-(self._end - self._next) // limits.PROOF_STEPS)

    def take_steps(self) -> list[bytes]:
        """The next piece."""
        begin, self._next = self._next, min(self._end, self._next + limits.PROOF_STEPS)
        return self._hashes.list_steps(begin, self._next)
