"""When members came, by our own clock: what a purge goes by."""

from anonp2p.room import changes
from anonp2p.room.changes import Change


class Arrivals:
    """The members that we have seen coming. Whoever was there when we were let in came earlier."""

    def __init__(self) -> None:
        self._joined_at: dict[bytes, float] = {}

    def note_change(self, change: Change, age: float) -> None:
        """Something took effect. age: when, in seconds of a clock that only grows (`Now.age`)."""
        match change:
            case changes.JoinedChange(member=member):
                self._joined_at[member] = age
            case changes.LeftChange(member=member) | changes.RemovedChange(member=member):
                self._joined_at.pop(member, None)

    def list_since(self, age: float) -> list[bytes]:
        """Who came then or later, in the order in which they came."""
        return [member for member, joined_at in self._joined_at.items() if joined_at >= age]
