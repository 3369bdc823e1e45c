"""Who knocks at a room that we moderate, above the list of its members."""

from anonp2p import limits
from anonp2p.room.moderation_events import Knocker, WaitingEvent
from anonp2p.ui import sanitize
from anonp2p.ui.screen import rows
from anonp2p.ui.screen.rows import Row


class WaitingPeople:
    """As it was told last. count: how many wait; of many not all are named."""

    def __init__(self) -> None:
        self.count = 0
        self._people: list[Knocker] = []
        self._at = 0.0

    def take_event(self, event: WaitingEvent, now: float) -> None:
        """Others wait now, or some no longer do."""
        self.count, self._people, self._at = event.count, event.people, now

    def clear(self) -> None:
        """We are out of the room."""
        self.count, self._people = 0, []

    @property
    def nicks(self) -> list[str]:
        """Of those who are named."""
        return [sanitize.sanitize_line(one.nick) for one in self._people]

    def rows(self, columns: int, now: float, *, tags: bool) -> list[Row]:
        """How many wait; of the first, since when."""
        if not self.count:
            return []
        drawn: list[Row] = [rows.fit([("caution", f" {count_waiting(self.count)}")], columns)]
        for one in self._people[: limits.WAITING_SHOWN]:
            seconds = one.seconds + max(0, int(now - self._at))
            tag: Row = [("quiet", f"{sanitize.sanitize_line(one.tag)} ")] if tags else []
            right: Row = [("quiet", f" {_span(seconds)} "), *tag]
            drawn.append(rows.between([("", f" {sanitize.sanitize_line(one.nick)}")], right, columns, ""))
        hidden = self.count - len(drawn) + 1
        return [*drawn, rows.fit([("quiet", f" and {hidden} more")], columns)] if hidden > 0 else drawn


def count_waiting(count: int) -> str:
    """How many wait, in as few words as possible."""
    return f"{count} wait{'s' * (count == 1)}"


def _span(seconds: int) -> str:
    """A time in at most 3 columns."""
    for unit, size in (("s", 60), ("m", 60), ("h", 24)):
        if seconds < size:
            return f"{seconds}{unit}"
        seconds //= size
    return f"{min(seconds, 99)}d"
