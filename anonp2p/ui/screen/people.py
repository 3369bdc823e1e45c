"""Who is in a room, as a column beside its log."""

import time

from anonp2p import limits
from anonp2p.room.snapshot import MemberView
from anonp2p.ui import sanitize
from anonp2p.ui.screen import rows
from anonp2p.ui.screen.looks import MemberLooks
from anonp2p.ui.screen.rows import Row
from anonp2p.ui.widths import width

_LEAST = 12  # columns
_BESIDE = 3  # columns beside a nick: what it is, whether it is away, and a space; one more each for keys and roles
LEGEND = (
    "@ hosts the room; 1 2 3 would take it over, in order; # has its key; + moderates; % is muted; ? is away; "
    "✓ you have verified"
)


class People:
    """The members of a room: the host first, then who would host, those who are away last.

    Who moderates is marked where that is not the host alone.
    """

    def __init__(self, members: list[MemberView], looks: MemberLooks) -> None:
        self._looks = looks
        self._members = sorted(members, key=_order)
        self.nicks = [sanitize.sanitize_line(one.nick) for one in self._members if not one.mine]
        shown = (sanitize.sanitize_line(one.nick) + looks.mark(one.member) for one in members)
        self.longest = max(map(width, shown), default=0)
        self.good_until = time.monotonic() + len(members) * limits.PEOPLE_INTERVAL  # large rooms take longer
        self._here = sum(not one.away for one in members)
        self._has_roles = any(one.role == "muted" or (one.moderator and one.role != "host") for one in members)
        self._beside = _BESIDE + any(map(_is_key_shown, members)) + self._has_roles
        self._tag = max((len(one.tag) for one in members), default=0) + 1

    def __len__(self) -> int:
        return len(self._members)

    def width(self, *, tags: bool, most: int) -> int:
        """Columns for all of them."""
        return max(_LEAST, min(self.longest + self._beside + (self._tag if tags else 0), most))

    def rows(self, columns: int, height: int, *, tags: bool) -> list[Row]:
        """So many rows, and as many members as fit in them."""
        drawn: list[Row] = [rows.fit([("title", f" {self._here} here")], columns)]
        hidden = len(self) - (height - 1)
        shown = self._members[: height - 2] if hidden > 0 else self._members
        drawn += [self._row(one, columns, tags=tags) for one in shown]
        if hidden > 0:
            drawn.append(rows.fit([("quiet", f" and {len(self) - len(shown)} more")], columns))
        return drawn[:height]

    def _row(self, one: MemberView, columns: int, *, tags: bool) -> Row:
        tag: Row = [("quiet", f"{sanitize.sanitize_line(one.tag)} ")] if tags else []
        style = "quiet" if one.away else "own" if one.mine else self._looks.style(one.member)
        free = columns - self._beside - (self._tag if tags else 0) + 1
        nick = self._looks.shorten(sanitize.sanitize_line(one.nick), one.member, free)
        is_what = "@" if one.role == "host" else str(one.rank or " ")
        key = "#" if _is_key_shown(one) else ""
        does: Row = [("ok", "+")] if one.moderator else [("error", "%")] if one.role == "muted" else []
        away: Row = [("error", "?")] if one.away else []
        left: Row = [("quiet", is_what), (style, nick), ("quiet", key), *(does if self._has_roles else []), *away]
        return rows.between(left, tag, columns, "")


def _order(one: MemberView) -> tuple[bool, bool, float, bool, str]:
    return one.away, one.role != "host", one.rank or float("inf"), not one.moderator, one.nick.casefold()


def _is_key_shown(one: MemberView) -> bool:
    """Whether it is worth saying: that a host has the key is as it should be."""
    return one.holds_key and one.role != "host"
