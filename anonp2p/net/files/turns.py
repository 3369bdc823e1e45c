"""Who of those who fetch files of ours is served now, and who waits: all offers of one room together."""

import trio

from anonp2p import limits


class Turns:
    """So many members are served at once, each on all of its links; the others wait in the order in which they came.

    Who has been served for a while, while others wait, waits again.
    """

    def __init__(self) -> None:
        self.changed = trio.Event()  # replaced whenever it is set
        self._links: dict[bytes, int] = {}  # how many each member has
        self._served: dict[bytes, float] = {}  # since when
        self._waiting: list[bytes] = []

    def enter(self, member: bytes) -> bool:
        """A link of this member wants to be served; False if too many wait already."""
        if member not in self._links:
            if len(self._waiting) >= limits.FILE_WAITERS:
                return False
            self._waiting.append(member)
            self._links[member] = 0
            self._fill()
        self._links[member] += 1
        return True

    def leave(self, member: bytes) -> None:
        """A link of it has ended."""
        self._links[member] -= 1
        if self._links[member]:
            return
        del self._links[member]
        self._served.pop(member, None)
        if member in self._waiting:
            self._waiting.remove(member)
        self._fill()

    def count_before(self, member: bytes) -> int | None:
        """How many wait before this one; None if it is served."""
        return None if member in self._served else self._waiting.index(member)

    def is_turn(self, member: bytes) -> bool:
        """Whether it is served now. Asked before each record: whose time is over then waits behind the others."""
        since = self._served.get(member)
        if since is None:
            return False
        if not self._waiting or trio.current_time() - since < limits.FILE_TURN:
            return True
        del self._served[member]
        self._waiting.append(member)
        self._fill()
        return member in self._served

    def _fill(self) -> None:
        while self._waiting and len(self._served) < limits.FETCHERS:
            self._served[self._waiting.pop(0)] = trio.current_time()
        self.changed.set()
        self.changed = trio.Event()
