"""A file on offer as it is drawn in the log: its name, how it is taken, and how far it has come, with a bar."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from anonp2p.names.file_names import clean_name
from anonp2p.room.file_events import OfferEvent, TransferEvent
from anonp2p.ui import file_wording, sanitize
from anonp2p.ui.screen import rows
from anonp2p.ui.screen.rows import Row
from anonp2p.ui.sizes import describe_left, describe_rate, describe_size, percent
from anonp2p.ui.widths import width, wrap

_BAR = 30  # columns of a bar, at most
_LEAST_BAR = 8
_NICK = 16  # columns of the nick of one who fetches, at most
_TOLD = 4  # of those who have a file, by their nicks
State = Literal["offered", "connecting", "running", "done", "failed", "ended"]


@dataclass(slots=True, repr=False)
class ShownOffer:
    """An offer, and what became of it last. version: changes with what it looks like. Never shows what it holds.

    number: by which the user names it; 0 of one of ours that is not out yet.
    """

    name: str
    size: int = 0
    number: int = 0
    mine: bool = False
    state: State = "offered"
    version: int = 0
    _last: TransferEvent | None = None
    _fetchers: dict[str, TransferEvent] = field(default_factory=dict)  # by member: those who fetch it from us, or did
    _place: str = ""

    @property
    def is_under_way(self) -> bool:
        """Whether it is being taken."""
        return self.state in ("connecting", "running")

    @property
    def can_be_taken(self) -> bool:
        """Whether /accept means something."""
        return not self.mine and self.state in ("offered", "failed")

    def take_event(self, event: TransferEvent) -> None:
        """It has come so far."""
        self.version += 1
        self._place = ""  # others may have got that name meanwhile
        if isinstance(event.member, str):
            before = self._fetchers.pop(event.member, event)
            self._fetchers[event.member] = msgspec.structs.replace(event, nick=event.nick or before.nick)
        else:
            self.state, self._last = event.state, event

    def draw(self, columns: int, mark: Callable[[str], str]) -> list[Row]:
        """Its rows. mark: what stands behind the nick of a member."""
        name = clean_name(self.name)
        size = f" ({describe_size(self.size)})" if self.number else " …"
        text = name + size
        title = [_titled(text, start, end, len(name)) for start, end in wrap(text, columns)]
        return [*title, *self._state(columns, mark)]

    def _state(self, columns: int, mark: Callable[[str], str]) -> list[Row]:
        if not self.number:
            return rows.wrapped("pending", "is being read", columns)
        if self.mine:
            return self._fetched(columns, mark)
        last = self._last
        if last is None:
            self._place = self._place or file_wording.foresee_place(self.name)
            return rows.wrapped("quiet", f"/accept {self.number} saves it as {_line(self._place)}", columns)
        if self.state == "running":
            return [draw_progress("", last, columns)]
        style = {"done": "ok", "failed": "error"}.get(self.state, "quiet")
        return rows.wrapped(style, _line(file_wording.describe_outcome(last)), columns)

    def _fetched(self, columns: int, mark: Callable[[str], str]) -> list[Row]:
        """Who takes a file of ours, and who has it."""
        if self.state == "ended" and self._last:
            return rows.wrapped("quiet", _line(file_wording.describe_outcome(self._last)), columns)
        drawn = []
        have: list[str] = []
        lost: list[str] = []
        for member, event in self._fetchers.items():
            nick = _line(event.nick or "one who has left") + mark(member)
            if event.state in ("running", "connecting"):
                drawn.append(draw_progress(nick, event, columns))
            else:
                (have if event.state == "done" else lost).append(nick)
        for nicks, style, words in ((have, "ok", "taken by"), (lost, "quiet", "not all of it taken by")):
            if nicks:
                drawn += rows.wrapped(style, f"{words} {_list(nicks)}", columns)
        return drawn or rows.wrapped("quiet", f"/decline {self.number} ends it", columns)


def draw_progress(label: str, event: TransferEvent, columns: int) -> Row:
    """How far it is: who takes it, if that is given, a bar, and as much in numbers as there is room for."""
    head = f"{rows.cut(label, min(_NICK, columns // 3))} " if label else ""
    tail = f" {percent(event.bytes, event.size):3} %"
    details = ["  waits"] if event.state == "connecting" else []
    left = describe_left(event.size - event.bytes, event.rate)
    if left and not details:
        details = [f"  {describe_rate(event.rate)}", f"  {left}"]
    for detail in details:
        if width(head + tail + detail) + _LEAST_BAR <= columns:
            tail += detail
    wide = max(0, min(_BAR, columns - width(head + tail)))
    return rows.fit([("", head), *rows.bar(percent(event.bytes, event.size), wide), ("progress", tail)], columns)


def offer_of(event: OfferEvent) -> ShownOffer:
    """As it is shown at first."""
    return ShownOffer(event.name, event.size, event.offer, mine=event.mine)


def _titled(text: str, start: int, end: int, name_end: int) -> Row:
    """A part of a file's name and of the size behind it: no name can look like the size."""
    middle = min(max(start, name_end), end)
    return [("title", text[start:middle]), ("quiet", text[middle:end])]


def _list(nicks: list[str]) -> str:
    more = len(nicks) - _TOLD
    return ", ".join(nicks[-_TOLD:]) + (f" and {more} more" if more > 0 else "")


def _line(text: str) -> str:
    return sanitize.sanitize_line(text)
