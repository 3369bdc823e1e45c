"""Members of one room whose messages the user does not want to see, as long as this program runs."""

from collections.abc import Iterable
from typing import Any

from anonp2p.names import nicks
from anonp2p.room import events, file_events
from anonp2p.room.snapshot import MemberView, find_named
from anonp2p.ui.errors import IgnoresItself, NobodyIgnored


class Ignored:
    """By their keys, so that another nick does not help. Who comes back with another key is another member."""

    def __init__(self) -> None:
        self._nicks: dict[str, str] = {}

    @property
    def nicks(self) -> list[str]:
        """Their nicks, as they were last."""
        return list(self._nicks.values())

    def add_member(self, member: str, nick: str) -> None:
        """Ignores somebody."""
        self._nicks[member] = nick

    def remove_nick(self, nick: str) -> None:
        """Ignores the member of this nick, or of one that looks like it, no more. Raises AnonError."""
        looks = nicks.narrow_looks(nick)
        found = [member for member, known in self._nicks.items() if looks & nicks.narrow_looks(known)]
        if not found:
            raise NobodyIgnored(nick)
        for member in found:
            del self._nicks[member]

    def hides(self, event: events.Event) -> bool:
        """Whether an event is not to be shown. Follows who changes nicks."""
        match event:
            case events.RenamedEvent(member=member, nick=nick) if member in self._nicks:
                self._nicks[member] = nick
            case events.MessageEvent(member=member) | file_events.OfferEvent(member=member):
                return member in self._nicks
        return False

    def keep_shown(self, offers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The offers that are to be shown, of the rows of the reply to /files."""
        return [row for row in offers if row["member"] not in self._nicks]


def find_ignored(members: Iterable[MemberView], nick: str) -> MemberView:
    """The member who has this nick, or one that looks like it, to be ignored. Raises AnonError."""
    found = find_named(members, nick)
    if found.mine:
        raise IgnoresItself
    return found
