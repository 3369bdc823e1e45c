"""How the members of a room are told apart on the screen: each by a colour, and by a nick that fits into its column.

Colours are given in the order of joining: the first eight members have eight, and nobody shares one while another is
free. A nick that is too long for its column is shortened; where that could be another's, a tag stands at its end.
"""

from collections.abc import Iterable
from functools import lru_cache

from anonp2p import limits
from anonp2p.crypto.identity import TAG_CHARACTERS
from anonp2p.names import nicks
from anonp2p.ui.screen import palette, rows
from anonp2p.ui.verified import Verified
from anonp2p.ui.widths import head, width

wide_looks = lru_cache(1024)(nicks.wide_looks)


class MemberLooks:
    """The looks of those who are in one room, and of those who were. Nicks are sanitized ones.

    verified: whose nicks have a mark.
    """

    def __init__(self) -> None:
        self.verified = Verified()
        self._tagged = 0  # how often somebody who was drawn already has got a tag
        self._hues: dict[str, int] = {}  # by member, the latest to be seen last
        self._here: set[str] = set()
        self._latest = -1  # the hue that was given last
        self._long: dict[str, None] = {}  # nicks that may have to be shortened, the oldest first
        self._heads: dict[int, dict[str, set[str]]] = {}  # by columns: what a nick begins with, as it looks, and whose

    def enter_member(self, member: str, nick: str) -> None:
        """Somebody is in the room, and has a colour that nobody else has, if there is one."""
        if member not in self._here:
            known = self._hues.get(member)
            if known is None or any(self._hues.get(other) == known for other in self._here):
                self._hues[member] = self._free_hue()
            self._here.add(member)
        self.note_nick(nick)

    def enter_all(self, members: Iterable[tuple[str, str]]) -> None:
        """These, by member and nick, are in the room, and nobody else."""
        listed = dict(members)
        self._here &= listed.keys()
        for member, nick in listed.items():
            self.enter_member(member, nick)

    def leave_member(self, member: str) -> None:
        """Somebody is gone. The colour stays that of what was said, until it is needed again."""
        self._here.discard(member)

    def note_author(self, member: str, nick: str) -> None:
        """Somebody who may be gone already has written something."""
        if member not in self._hues:
            self._hues[member] = self._free_hue()
            while len(self._hues) > limits.LOOKS:
                del self._hues[next((one for one in self._hues if one not in self._here), next(iter(self._hues)))]
        self.note_nick(nick)

    def note_nick(self, nick: str) -> None:
        """Somebody has this nick."""
        if width(nick) <= _NEVER_CUT or nick in self._long:
            return
        self._long[nick] = None
        for columns, heads in self._heads.items():
            self._note_head(heads, nick, columns)
        if len(self._long) > limits.LOOKS:
            del self._long[next(iter(self._long))]
            self._heads.clear()

    def style(self, member: str) -> str:
        """The style of somebody's nick."""
        return palette.nick_style(self._hues.get(member, 0))

    @property
    def version(self) -> tuple[int, int]:
        """Changes when somebody who was drawn already looks different."""
        return self._tagged, self.verified.version

    def mark(self, member: str) -> str:
        """What stands right behind the nick of a member."""
        return self.verified.mark(member)

    def shorten(self, nick: str, member: str, columns: int) -> str:
        """A nick in so many columns, with its mark, so that it is nobody else's, as far as was noted."""
        mark = self.mark(member)
        return self._shorten(nick, member, columns - len(mark)) + mark

    def _shorten(self, nick: str, member: str, columns: int) -> str:
        if width(nick) <= columns:
            return nick
        if columns not in self._heads:
            heads: dict[str, set[str]] = {}
            for other in self._long:
                self._note_head(heads, other, columns)
            self._heads[columns] = heads
        alike = (self._heads[columns].get(look, set()) for look in wide_looks(head(nick, columns - 1)))
        if any(others - {nick} for others in alike):
            tag = member[: min(TAG_CHARACTERS, columns - 3)]
            return f"{head(nick, columns - 1 - len(tag))}{rows.MORE}{tag}"
        return rows.cut(nick, columns)

    def _note_head(self, heads: dict[str, set[str]], nick: str, columns: int) -> None:
        for look in wide_looks(head(nick, columns - 1)):
            alike = heads.setdefault(look, set())
            alike.add(nick)
            if len(alike) == 2:  # the other one was drawn without a tag
                self._tagged += 1

    def _free_hue(self) -> int:
        """The hue that the fewest of those here have; of several, the one that was given longest ago."""
        taken = [self._hues.get(other) for other in self._here]
        turns = [(self._latest + 1 + step) % palette.HUES for step in range(palette.HUES)]
        self._latest = min(turns, key=taken.count)
        return self._latest


_NEVER_CUT = 8  # columns that a nick always has
