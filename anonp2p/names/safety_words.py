"""Safety words: members compare them over another channel, to learn if they have the same log (PROTOCOL.md, 7a)."""

import hashlib
from typing import Final, NamedTuple

from anonp2p import limits
from anonp2p.names import words

_ROOM: Final = b"anonp2p/4 words of a room"
_TWO: Final = b"anonp2p/4 words of two"
_BYTES: Final = 10  # 80 bits: nobody can find another log or key with the same words


class Mark(NamedTuple):
    """A time of the room, in milliseconds, and the digest of the log then."""

    time: int
    digest: bytes


class Marks:
    """The last two marks that a member has seen itself, or whose digest everybody knows.

    genesis: the digest of the log without entries, which everyone knows from the room's code alone.
    """

    def __init__(self, genesis: bytes) -> None:
        self._digest = genesis  # as of the latest head
        self._passed = 0  # the latest mark that has passed
        self._seen = [Mark(0, genesis)]

    def begin_at(self, time: int, digest: bytes, *, keeps: bool) -> None:
        """Starts at this time: we cannot vouch for marks that only the host tells us of.

        keeps: whether it is proven that the log continues the one that had the marks seen before.
        """
        self._passed = time - time % limits.MARK_INTERVAL
        self._digest = digest
        self._seen = [mark for mark in self._seen if keeps or not mark.time]

    def cut_after(self, time: int, digest: bytes) -> None:
        """What came after this time is none of the log's: it has this digest, and what was seen later is forgotten."""
        self._seen = [mark for mark in self._seen if mark.time <= time]
        self._passed = min(self._passed, time - time % limits.MARK_INTERVAL)
        self._digest = digest

    def note_head(self, time: int, digest: bytes) -> None:
        """Notes a head: the log has this digest at this time."""
        latest = time - time % limits.MARK_INTERVAL
        passed = [Mark(at, self._digest) for at in (latest - limits.MARK_INTERVAL, latest) if at > self._passed]
        self._seen = [*self._seen, *passed][-2:]
        self._passed = max(self._passed, latest)
        self._digest = digest

    def latest_marks(self) -> list[Mark]:
        """The last two marks, as far as we know them, the newest first."""
        return [mark for mark in reversed(self._seen) if mark.time >= self._passed - limits.MARK_INTERVAL]


def words_of_room(room: bytes, mark: Mark) -> list[str]:
    """Ten words for the log of a room at a mark."""
    return _spell(_ROOM + room + mark.digest + mark.time.to_bytes(8, "big"))


def words_of_two(room: bytes, one: bytes, other: bytes) -> list[str]:
    """Ten words for the keys of two members, in either order."""
    return _spell(_TWO + room + min(one, other) + max(one, other))


def _spell(data: bytes) -> list[str]:
    return words.spell_data(hashlib.sha256(data).digest()[:_BYTES])
