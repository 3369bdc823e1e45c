"""How far apart the messages of one member are (PROTOCOL.md, 5c)."""

from anonp2p import limits

Term = tuple[int, bytes]


class SlowRule:
    """When each author has last said something to all, in the present term, by the times that its host has signed.

    Times are milliseconds of the room: of the heads of the entries. Nothing is known of terms before.
    """

    def __init__(self) -> None:
        self._term: Term | None = None
        self._times: dict[bytes, int] = {}
        self._unsealed: set[bytes] = set()  # authors of messages that no head covers yet

    def note_text(self, author: bytes, term: Term) -> None:
        """A message of this author has its place in this term, and no time yet."""
        if term != self._term:
            self._term = term
            self._times.clear()
            self._unsealed.clear()
        self._unsealed.add(author)

    def seal_batch(self, time: int) -> None:
        """A head of this time covers all that has a place."""
        if len(self._times) > limits.MEMBERS:  # there are authors who are out
            self._times = {it: at for it, at in self._times.items() if time - at < limits.SLOW * 1000}
        self._times.update(dict.fromkeys(self._unsealed, time))
        self._unsealed.clear()

    def is_too_soon(self, author: bytes, term: Term, time: int, seconds: int) -> bool:
        """Whether a message under a head of this time is not so many seconds after the author's last one."""
        if not seconds or term != self._term:
            return False
        last = self._times.get(author)
        return author in self._unsealed or (last is not None and time - last < seconds * 1000)
