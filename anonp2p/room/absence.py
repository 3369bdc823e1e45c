"""How long a moderator is away before it may be removed as lost (PROTOCOL.md, 5c.10)."""

from collections.abc import Iterable

from anonp2p import limits


class AbsenceRule:
    """Since when moderators are away, by the times that their host has signed, and by our own clock.

    Times are milliseconds of the room: of the heads of entries. Ages (`Now.age`) are of those that came while our link
    was up, as long as it is: without one, our clock may have stood still, with all that this program runs on.
    """

    def __init__(self) -> None:
        self._times: dict[bytes, int] = {}
        self._ages: dict[bytes, float] = {}
        self._unsealed: set[bytes] = set()  # those whose absence no head covers yet

    def note_away(self, member: bytes) -> None:
        """A moderator is away from here on."""
        self._unsealed.add(member)

    def forget_all(self) -> None:
        """Nothing is known of who is away since when."""
        self._times.clear()
        self._ages.clear()
        self._unsealed.clear()

    def begin_term(self, absent: Iterable[bytes]) -> None:
        """Another host goes on, by another clock. absent: the moderators who are away."""
        self.forget_all()
        self._unsealed.update(absent)

    def forget_member(self, member: bytes) -> None:
        """A member is back, or out."""
        self._unsealed.discard(member)
        self._times.pop(member, None)
        self._ages.pop(member, None)

    def seal_batch(self, time: int, age: float | None) -> None:
        """A head of this time covers all that has a place. age: of our clock then, if it comes on a link that is up."""
        self._times.update(dict.fromkeys(self._unsealed, time))
        if age is not None:
            self._ages.update(dict.fromkeys(self._unsealed, age))
        self._unsealed.clear()

    def lose_link(self) -> None:
        """We have no link to the host any more."""
        self._ages.clear()

    def is_too_soon(self, member: bytes, time: int, age: float) -> bool:
        """Whether a commit under a head of this time, which has come now, may not remove this member as lost yet.

        A host may say what time it is, but our clock goes on as it does: a time that jumps is not the one that passed.
        """
        if member in self._unsealed:
            return True
        since, came = self._times.get(member), self._ages.get(member)
        is_soon = since is not None and time - since < limits.MODERATOR_LOST * 1000
        least = limits.MODERATOR_LOST - limits.MODERATOR_LOST_HELD
        return is_soon or (came is not None and age - came < least)
